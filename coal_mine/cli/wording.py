"""Times and durations in words."""

from __future__ import annotations

from datetime import UTC, datetime

MINUTE, HOUR, DAY, YEAR = 60, 3_600, 86_400, 365 * 86_400
# Up to a limit in seconds: how many seconds one unit has, and its name for one and for many.
_UNITS = (
    (90, 1, ("s", "s")),
    (90 * MINUTE, MINUTE, ("min", "min")),
    (36 * HOUR, HOUR, ("h", "h")),
    (2 * YEAR, DAY, ("day", "days")),
    (float("inf"), YEAR, ("year", "years")),
)


def second(at: datetime) -> str:
    """In UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def minute(at: datetime) -> str:
    """In UTC, to the minute."""
    return second(at)[:16]


def distance(at: datetime, now: datetime) -> str:
    """`in 5 min` or `3 h ago`, rounded."""
    seconds = (at - now).total_seconds()
    size, names = next((size, names) for limit, size, names in _UNITS if abs(seconds) < limit)
    count = round(abs(seconds) / size)
    text = f"{count} {names[count != 1]}"
    return f"in {text}" if seconds >= 0 else f"{text} ago"


def duration(seconds: float) -> str:
    """Exactly: `1 day 1 h`, `90 s` as `1 min 30 s`, `0.5 s`."""
    whole, parts = int(seconds), []
    for size, one, many in ((DAY, "day", "days"), (HOUR, "h", "h"), (MINUTE, "min", "min")):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {one if count == 1 else many}")
    rest = round(whole + seconds % 1, 3)
    if rest or not parts:
        parts.append(f"{rest:g} s")
    return " ".join(parts)
