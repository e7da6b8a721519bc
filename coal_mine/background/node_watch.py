"""Tells operators that a node has stopped, and that it is back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from coal_mine.domain.alert import Alert
from coal_mine.domain.node import Node, node_resumed_alert, node_stopped_alert
from coal_mine.domain.ports import Store
from coal_mine.domain.times import isoformat

_log = logging.getLogger(__name__)


class NodeWatch:
    """Any number may watch: first the alert is added, whose id follows from the stop alone, and then it is noted, as by a Heartbeat.

    A node cannot tell by itself that it is back, as a background does: it may be another process by then.
    """

    def __init__(self, store: Store, operators: tuple[str, ...], operators_told: Callable[[], None]) -> None:
        """`operators_told` is called when something waits for them."""
        self._nodes = store.nodes
        self._outbox = store.outbox
        self._operators = operators
        self._operators_told = operators_told

    def look(self, now: datetime) -> None:
        """To be called only by who has been in contact with the store for long enough to judge others."""
        for node in self._nodes.all():
            if node.has_stopped(now) and not node.stop_is_told:
                self._tell_stop(node)
            elif node.is_alive(now) and node.untold_return:
                self._tell_return(node, node.untold_return)

    def _tell_stop(self, node: Node) -> None:
        _log.error("node %s has stopped; it was last seen at %s", node.name, isoformat(node.seen_at), extra={"action": "node_stopped"})
        self._tell(node_stopped_alert(node, operators=self._operators))
        self._nodes.note_stopped(node.name, node.seen_at)

    def _tell_return(self, node: Node, stopped_after: datetime) -> None:
        _log.warning("node %s, which had stopped, is back", node.name, extra={"action": "node_resumed"})
        self._tell(node_resumed_alert(node, stopped_after, operators=self._operators))
        self._nodes.note_resumed(node.name, stopped_after)

    def _tell(self, alert: Alert) -> None:
        self._outbox.add([alert])
        self._operators_told()
