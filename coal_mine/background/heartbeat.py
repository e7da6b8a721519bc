"""Shows the other processes that this one lives, and looks whether they, and the nodes, do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.ports import Store
from coal_mine.domain.server import LEASE, Backgrounds, Server, backgrounds, resumed_alert, stopped_alert
from coal_mine.domain.times import isoformat

from .contact import Contact
from .node_watch import NodeWatch

_log = logging.getLogger(__name__)

BEAT = timedelta(seconds=5)
# After this many beats without contact, others may have been without it as well; after so many in contact, they have had time to beat.
_LOST_BEATS = 2
_SETTLING_BEATS = 3
# How long a process that did not end cleanly is remembered.
KEPT = timedelta(days=1)


class Heartbeat:
    """One step beats and looks. Whoever notices a stop first tells it, and the store keeps those who come second from telling it again.

    1. The alert is added to the outbox. Its id follows from the stop alone, so two who add it, or one who adds it twice, add one.
    2. The stop is noted. Dying before that, the next one does the same again.
    A process that finds of itself that it was told to have stopped tells in the same two steps that it is back.
    """

    def __init__(
        self,
        store: Store,
        introduce: Callable[[datetime], Server],
        operators: tuple[str, ...],
        operators_told: Callable[[], None],
        *,
        beat: timedelta = BEAT,
        lease: timedelta = LEASE,
    ) -> None:
        """`introduce` makes of the time of the start this process; `operators_told` is called when something waits for them."""
        self._servers = store.servers
        self._outbox = store.outbox
        self._introduce = introduce
        self._me: Server | None = None  # before the store has told its time, nobody knows when it was started
        self._operators = operators
        self._operators_told = operators_told
        self._beat = beat
        self._lease = lease
        self._node_watch = NodeWatch(store, operators, operators_told)
        self._beating = threading.Lock()
        self._ended = False
        self._contact = Contact(gap=_LOST_BEATS * beat, settling=_SETTLING_BEATS * beat)
        self._back_at: datetime | None = None
        self.backgrounds: Backgrounds | None = None  # as the last look found them; None before anything can be said

    def run_once(self, now: datetime) -> datetime | None:
        with self._beating:
            if self._ended:
                return None
            self._me = me = replace(self._me, seen_at=now) if self._me else self._introduce(now)
            self._servers.beat(me)
        seen = self._servers.all()
        for server in seen:
            if server.id == me.id and server.untold_return:
                self._tell_that_i_am_back(me, server.untold_return)
        if self._contact.may_judge(now):
            self._judge(seen, now)
            self._node_watch.look(now)
        return now + self._beat

    def end(self) -> None:
        """A clean end. May be called twice; no beat comes after it."""
        with self._beating:
            self._ended = True
            if self._me is None:
                return
            try:
                self._servers.end(self._me.id)
            except StoreUnavailable as error:
                _log.warning("others will take this for a stop without a clean end: %s", error, extra={"action": "end_not_noted"})

    def _judge(self, seen: Sequence[Server], now: datetime) -> None:
        others_alive = any(server.is_alive(now, self._lease) for server in seen)
        for server in seen:
            if server.has_stopped(now, self._lease) and not server.stop_is_told:
                self._tell_stop(server, others_alive=others_alive)
        for server in seen:
            if now - server.seen_at > KEPT:
                self._servers.end(server.id)
        self.backgrounds = backgrounds(seen, now, self._lease)

    def _tell_stop(self, server: Server, *, others_alive: bool) -> None:
        alert = stopped_alert(server, others_alive=others_alive, operators=self._operators)
        _log.error("%s has stopped; it was last seen at %s", alert.name, isoformat(alert.at), extra={"action": "server_stopped"})
        self._outbox.add([alert])
        self._servers.note_stopped(server.id, server.seen_at)
        self._operators_told()

    def _tell_that_i_am_back(self, me: Server, stopped_after: datetime) -> None:
        # Nobody else tells this, so memory is enough to make a repetition the same alert.
        self._back_at = self._back_at or me.seen_at
        alert = resumed_alert(me, self._back_at, operators=self._operators)
        _log.warning("this process was taken for stopped and is back", extra={"action": "server_resumed"})
        self._outbox.add([alert])
        self._servers.note_resumed(me.id, stopped_after)
        self._back_at = None
        self._operators_told()
