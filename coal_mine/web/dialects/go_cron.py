"""Schedules as the cron library of Go programs writes them, which older systems have used.

Five fields; the question mark is a star in each of them; 7 is no weekday. Descriptors are @daily and the like, and `@every 1h30m`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from coal_mine.domain.cron import ALIASES
from coal_mine.domain.errors import Invalid
from coal_mine.domain.seconds import MAX_SECONDS, whole

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Each field's lowest and highest value, and the names of its values from the lowest on.
_FIELDS: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "minute": (0, 59, ()),
    "hour": (0, 23, ()),
    "day of the month": (1, 31, ()),
    "month": (1, 12, _MONTHS),
    "weekday": (0, 6, _WEEKDAYS),
}
_ITEM = re.compile(r"(?:(?P<any>[*?])|(?P<low>[0-9a-z]{1,9})(?:-(?P<high>[0-9a-z]{1,9}))?)(?:/(?P<step>[0-9]{1,9}))?")
_EVERY = "@every"
_DURATION = re.compile(r"\+?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?(?:ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
_PART = re.compile(r"([0-9.]+)([^0-9.]+)", re.ASCII)
_SECONDS = {
    "ns": Decimal("1e-9"), "us": Decimal("1e-6"), "µs": Decimal("1e-6"), "μs": Decimal("1e-6"), "ms": Decimal("1e-3"),
    "s": Decimal(1), "m": Decimal(60), "h": Decimal(3_600),
}  # fmt: skip


def schedule_json(text: str) -> dict[str, Any]:
    """The schedule in the native API's JSON, in UTC. Raises Invalid with what is wrong with the text."""
    if text.startswith(_EVERY):
        return {"every": _seconds(text.removeprefix(_EVERY).strip()), "timezone": "UTC"}
    if text.startswith("@"):
        if text not in ALIASES:
            raise Invalid(f"{text[:60]!r} is none of {', '.join(ALIASES)} and '@every 1h30m'")
        return {"cron": text, "timezone": "UTC"}
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise Invalid(f"{text[:60]!r} has {len(fields)} fields; there must be five: minute, hour, day of the month, month, weekday")
    return {"cron": " ".join(_field(given.lower(), name) for given, name in zip(fields, _FIELDS, strict=True)), "timezone": "UTC"}


def _field(text: str, name: str) -> str:
    """As Debian's cron reads it, which takes two days that are both given for either of them unless the field begins with a star."""
    items = [_item(item, name) for item in text.split(",")]
    return ",".join(sorted(items, key=lambda item: not item.startswith("*")))


def _item(text: str, name: str) -> str:
    found = _ITEM.fullmatch(text)
    if not found:
        raise Invalid(f"{text[:40]!r} is nothing that the field of the {name} can hold")
    lowest, highest, _ = _FIELDS[name]
    step = int(found["step"] or 1)
    if not step:
        raise Invalid(f"{text[:40]!r} in the field of the {name}: a step must be 1 or more")
    # A longer one reaches no second value, either.
    end = f"/{min(step, highest - lowest + 1)}" if found["step"] else ""
    if found["any"]:
        return f"*{end}"
    low = _value(found["low"], name)
    high = _value(found["high"], name) if found["high"] else (highest if found["step"] else low)
    if low > high:
        raise Invalid(f"{text[:40]!r} in the field of the {name}: the range is reversed")
    return f"{low}-{high}{end}" if high > low else str(low)


def _value(text: str, name: str) -> int:
    lowest, highest, names = _FIELDS[name]
    if text in names:
        return lowest + names.index(text)
    if not text.isdecimal() or not lowest <= int(text) <= highest:
        raise Invalid(f"{text!r} in the field of the {name}: the values go from {lowest} to {highest}")
    return int(text)


def _seconds(text: str) -> float:
    """Of Go's 1h30m. That library knows whole seconds only, and takes less than one for one."""
    if not _DURATION.fullmatch(text):
        raise Invalid(f"'@every {text[:40]}': give a duration such as 90s, 5m or 1h30m")
    seconds = sum(Decimal(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if not 0 < seconds <= MAX_SECONDS:
        raise Invalid(f"'@every {text[:40]}': the duration must lie between a second and a hundred years")
    return whole(float(max(seconds // 1, 1)))
