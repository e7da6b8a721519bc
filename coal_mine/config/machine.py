"""What this machine says of itself, where the operator says nothing."""

from __future__ import annotations

from zoneinfo import ZoneInfoNotFoundError

from tzlocal import get_localzone_name

from coal_mine.domain.errors import Invalid
from coal_mine.domain.localtime import zone_named

# Containers and servers say it in these words; in schedules there is one for it.
_UTC = frozenset({"Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})


def own_timezone() -> str:
    """The name of the zone in which this machine's clocks are shown, and UTC if it tells none or two."""
    try:
        name = zone_named(get_localzone_name() or "UTC").key
    except (ZoneInfoNotFoundError, Invalid):  # its files contradict each other, or name a zone that only they know
        return "UTC"
    return "UTC" if name in _UTC else name
