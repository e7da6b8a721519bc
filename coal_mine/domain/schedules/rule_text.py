"""The text of a recurrence rule. dateutil could read it, too, but takes `BYHOUR=25` and `INTERVAL=0` and then never ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from math import prod
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, weekday

from coal_mine.domain.errors import Invalid

from .reading import LAST_YEAR, moment_in, shown

# More times of one day than every quarter of an hour are an interval or a crontab; finding the next among them would be slow here.
MAX_TIMES_OF_DAY = 96

Frequency = Literal[0, 1, 2, 3]  # dateutil's words for YEARLY to DAILY

_FREQUENCIES: dict[str, Frequency] = {"YEARLY": YEARLY, "MONTHLY": MONTHLY, "WEEKLY": WEEKLY, "DAILY": DAILY}
_TOO_SHORT = ("HOURLY", "MINUTELY", "SECONDLY")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NUMBERS = {"INTERVAL": (1, 10_000), "COUNT": (1, 10_000)}
# The lowest and the highest value; those of the second table may be counted from the end, with a minus.
_LISTS = {"BYMONTH": (1, 12), "BYHOUR": (0, 23), "BYMINUTE": (0, 59), "BYSECOND": (0, 59)}
_SIGNED_LISTS = {"BYSETPOS": (1, 366), "BYMONTHDAY": (1, 31), "BYYEARDAY": (1, 366), "BYWEEKNO": (1, 53)}
_KNOWN = ("FREQ", *_NUMBERS, "UNTIL", "WKST", "BYDAY", *_LISTS, *_SIGNED_LISTS)
_BY_DAY = re.compile(rf"([+-]?[0-9]{{1,2}})?({'|'.join(_WEEKDAYS)})")
_UNTIL = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    frequency: Frequency
    interval: int
    count: int | None
    until: datetime | None
    first_weekday: int  # Monday is 0
    by: dict[str, Any]  # in dateutil's words

    def completed(self, start: datetime) -> dict[str, Any]:
        """All of `by`; what the rule leaves open is as it is at the start."""
        by = {"byhour": start.hour, "byminute": start.minute, "bysecond": start.second} | self.by
        if self.by.keys() & {"byweekno", "byyearday", "bymonthday", "byweekday"} or self.frequency == DAILY:
            return by
        if self.frequency == WEEKLY:
            return by | {"byweekday": start.weekday()}
        month = {"bymonth": start.month} if self.frequency == YEARLY else {}
        return month | by | {"bymonthday": start.day}


def read_rule(text: str, zone: ZoneInfo) -> Parts:
    """Raises Invalid with the fault alone."""
    parts = _pairs(text.strip().upper().removeprefix("RRULE:"))
    if "COUNT" in parts and "UNTIL" in parts:
        raise Invalid("COUNT and UNTIL exclude each other")
    frequency = _frequency(parts.get("FREQ", ""))
    by: dict[str, Any] = {name.lower(): _integers(name, parts[name]) for name in (*_LISTS, *_SIGNED_LISTS) if name in parts}
    if prod(len(by.get(name, [0])) for name in ("byhour", "byminute", "bysecond")) > MAX_TIMES_OF_DAY:
        raise Invalid(f'has more than {MAX_TIMES_OF_DAY} times of day; use "every" or "cron"')
    if "BYDAY" in parts:
        by["byweekday"] = [_day(item, numbered=frequency in (YEARLY, MONTHLY)) for item in parts["BYDAY"].split(",")]
    return Parts(
        frequency=frequency,
        interval=_number("INTERVAL", parts.get("INTERVAL", "1")),
        count=_number("COUNT", parts["COUNT"]) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"], zone) if "UNTIL" in parts else None,
        first_weekday=_first_weekday(parts.get("WKST", "MO")),
        by=by,
    )


def _pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name not in _KNOWN:
            raise Invalid(f"{shown(part)} is not a part of a rule; known are {', '.join(_KNOWN)}")
        if name in pairs:
            raise Invalid(f"{name} is given twice")
        pairs[name] = value
    return pairs


def _frequency(name: str) -> Frequency:
    if name in _TOO_SHORT:
        raise Invalid(f'FREQ={name} is too short for a rule; use "every" or "cron"')
    if name not in _FREQUENCIES:
        raise Invalid(f"needs FREQ, one of {', '.join(_FREQUENCIES)}")
    return _FREQUENCIES[name]


def _number(name: str, text: str) -> int:
    low, high = _NUMBERS[name]
    if not _INTEGER.fullmatch(text) or not low <= int(text) <= high:
        raise Invalid(f"{name}={text[:20]} is not a number from {low} to {high}")
    return int(text)


def _integers(name: str, text: str) -> list[int]:
    """Without repetitions, so that no list is longer than its field."""
    return list(dict.fromkeys(_integer(name, item) for item in text.split(",")))


def _integer(name: str, item: str) -> int:
    low, high = _LISTS.get(name) or _SIGNED_LISTS[name]
    value = int(item) if _INTEGER.fullmatch(item) else None
    if value is None or not low <= (abs(value) if name in _SIGNED_LISTS else value) <= high:
        signs = ", or the same with a minus to count from the end" if name in _SIGNED_LISTS else ""
        raise Invalid(f"{name}={item[:20]} is not a number from {low} to {high}{signs}")
    return value


def _day(item: str, *, numbered: bool) -> weekday:
    match = _BY_DAY.fullmatch(item)
    number = int(match[1]) if match and match[1] else None
    if not match or number == 0 or abs(number or 1) > 53:
        raise Invalid(f"BYDAY={item[:20]} is not a weekday such as MO, or 1MO and -1FR for the first and the last")
    if number and not numbered:
        raise Invalid(f"BYDAY={item[:20]} counts weekdays, which needs FREQ=MONTHLY or FREQ=YEARLY")
    return weekday(_WEEKDAYS.index(match[2]), number)


def _first_weekday(name: str) -> int:
    if name not in _WEEKDAYS:
        raise Invalid(f"WKST={name[:20]} is not one of {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS.index(name)


def _until(text: str, zone: ZoneInfo) -> datetime | None:
    """The last moment. A date alone includes its day; years that nobody lives to see are no limit."""
    try:
        until = datetime.fromisoformat(text) if _UNTIL.fullmatch(text) else None
    except ValueError:  # the 30th of February
        until = None
    if until is None:
        raise Invalid(f"UNTIL={text[:20]} is not a time such as 20261224T180000, 20261224T170000Z or 20261224")
    if "T" not in text:
        until = datetime.combine(until, time(23, 59, 59))
    return None if until.year > LAST_YEAR else moment_in(until, zone)
