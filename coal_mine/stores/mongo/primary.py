"""Notices when there is another primary, or the same one again."""

from __future__ import annotations

from collections.abc import Callable

from pymongo.monitoring import TopologyClosedEvent, TopologyDescriptionChangedEvent, TopologyListener, TopologyOpenedEvent
from pymongo.topology_description import TopologyDescription


class PrimaryListener(TopologyListener):
    """Calls those who asked for it, in a thread of the driver's, which must not be held up."""

    def __init__(self) -> None:
        self.tell: list[Callable[[], None]] = []
        self._had_one = False

    def opened(self, event: TopologyOpenedEvent) -> None:
        """Nothing is known yet."""

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        found = _writable(event.new_description) - _writable(event.previous_description)
        if found and self._had_one:
            for tell in self.tell:
                tell()
        self._had_one = self._had_one or bool(found)

    def closed(self, event: TopologyClosedEvent) -> None:
        """Nobody needs to be told."""


def _writable(topology: TopologyDescription) -> set[tuple[str, int | None]]:
    """One that was lost sight of for a moment is missing, and new when it is back: it may have been started again with another time."""
    return {address for address, server in topology.server_descriptions().items() if server.is_writable}
