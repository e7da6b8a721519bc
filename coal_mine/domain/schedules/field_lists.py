"""A schedule as lists of values for the fields of a local time, as Moneta has it.

Each field holds an integer, a text such as `5`, `8-17`, `*`, `*/15` or `1,3,10-12`, or a list of these, which may hold lists again.
A field that is absent, null or empty stands for any value. A minute ticks when all fields match, the day of the month and the weekday
included. `*/n` stands for the multiples of n, in every field.

What would be accepted elsewhere and then never tick, or tick always, is refused here: a reversed range, a value out of range, a step
of zero, an unknown field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from coal_mine.domain.cron import minutes_of_day
from coal_mine.domain.errors import Invalid
from coal_mine.domain.localtime import LocalTicks
from coal_mine.domain.text import MAX_PERIODICITY

from .reading import Value, refuse, shown, zone_of

KEYS = ("fields", "timezone")
# Each field's values; weeks and weekdays are those of ISO 8601, Monday being 1.
RANGES = {
    "month": range(1, 13),
    "week": range(1, 54),
    "dayofweek": range(1, 8),
    "dayofmonth": range(1, 32),
    "hour": range(24),
    "minute": range(60),
}

_MEANING = {RANGES["dayofweek"]: ", Monday to Sunday"}

_MAX_DEPTH = 10
_ITEM = re.compile(r"(?P<any>\*)(?:/(?P<step>[0-9]{1,4}))?|(?P<low>[0-9]{1,4})(?:-(?P<high>[0-9]{1,4}))?")

Items = dict[str, list[str]]  # for each field the texts between the commas; none for any value


@dataclass(frozen=True, slots=True)
class FieldLists:
    text: str  # the fields as they were given, in JSON
    timezone: str
    _ticks: LocalTicks = field(repr=False, compare=False)

    @classmethod
    def parse(cls, value: Value, *, field: str, timezone: str) -> FieldLists:
        """Raises Invalid with the name of the field that is wrong."""
        fields, zone = value["fields"], zone_of(value, field, timezone)
        if fields is not None and not isinstance(fields, Mapping):
            refuse(field, "fields", fields, 'must be an object such as {"minute": ["*/5"], "hour": "8-17"}')
        given = fields or {}
        for name in given:
            if name not in RANGES:
                raise Invalid(f"{field}.fields has an unknown field {shown(name)}; {_instead_of(name)}")
        items = {name: list(_items(given.get(name), f"{field}.fields.{name}")) for name in RANGES}
        text = json.dumps(fields)
        if len(text) > MAX_PERIODICITY:
            raise Invalid(f"{field}.fields has {len(text)} characters; at most {MAX_PERIODICITY} are allowed")
        return cls(text, zone.key, _ticks(items, field, zone))

    def tick_after(self, at: datetime) -> datetime | None:
        return self._ticks.tick_after(at)

    def as_json(self) -> dict[str, Any]:
        return {"fields": json.loads(self.text), "timezone": self.timezone}


def _instead_of(name: object) -> str:
    one = str(name).lower().removesuffix("s")
    return f"write {one!r}" if one in RANGES else f"known are {', '.join(RANGES)}"


def _items(value: object, place: str, depth: int = 0) -> Iterator[str]:
    """What lists and commas hold; nothing for null and empty texts."""
    if depth > _MAX_DEPTH:
        raise Invalid(f"{place} has lists within lists, more than {_MAX_DEPTH} deep")
    if isinstance(value, list):
        for part in value:
            yield from _items(part, place, depth + 1)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, str):
        yield from (item.strip() for item in value.split(",")) if value.strip() else ()
    elif value is not None:
        raise Invalid(f"{place} {shown(value)}: must be an integer, a text or a list of these")


def _ticks(items: Items, field: str, zone: ZoneInfo) -> LocalTicks:
    sets = {name: _values(name, texts, f"{field}.fields.{name}") for name, texts in items.items()}
    return LocalTicks(
        zone=zone,
        months=sets["month"],
        is_day=partial(_is_day, sets["dayofmonth"], sets["dayofweek"], sets["week"]),
        minutes=minutes_of_day(sets["hour"], sets["minute"]),
        seconds=1,
        real_time=_is_period(items["minute"]) or _is_period(items["hour"]),
    )


def _is_day(days: Set[int], weekdays: Set[int], weeks: Set[int], day: date) -> bool:
    return day.day in days and day.isoweekday() in weekdays and (len(weeks) == len(RANGES["week"]) or day.isocalendar().week in weeks)


def _is_period(items: list[str]) -> bool:
    """Whoever names single minutes and hours means these times of the day; all others mean real time."""
    return not items or any(not item.isdigit() for item in items)


def _values(name: str, items: list[str], place: str) -> frozenset[int]:
    chosen = (_chosen(RANGES[name], item, place) for item in items)
    return frozenset(value for values in chosen for value in values) if items else frozenset(RANGES[name])


def _chosen(known: range, item: str, place: str) -> list[int]:
    match = _ITEM.fullmatch(item)
    if not match:
        raise Invalid(f"{place} {shown(item)}: is neither a number, nor a range such as 8-17, nor * or */15")
    if match["any"]:
        return _multiples(known, int(match["step"] or 1), item, place)
    low, high = int(match["low"]), int(match["high"] or match["low"])
    if low not in known or high not in known:
        raise Invalid(f"{place} {shown(item)}: the values go from {known[0]} to {known[-1]}{_MEANING.get(known, '')}")
    if low > high:
        raise Invalid(f"{place} {shown(item)}: the range is reversed; write '{low}-{known[-1]},{known[0]}-{high}'")
    return list(range(low, high + 1))


def _multiples(known: range, step: int, item: str, place: str) -> list[int]:
    if not step:
        raise Invalid(f"{place} {shown(item)}: a step of 0 leads nowhere; write '*' for every value")
    values = [value for value in known if value % step == 0]
    if not values:
        raise Invalid(f"{place} {shown(item)}: no value from {known[0]} to {known[-1]} is a multiple of {step}")
    return values
