"""What the kinds share in reading what users give. `field` is the name of the schedule, such as `schedules[2]`."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Never
from zoneinfo import ZoneInfo

from coal_mine.domain.errors import Invalid
from coal_mine.domain.localtime import moment_of, zone_named
from coal_mine.domain.text import MAX_PERIODICITY

Value = Mapping[str, Any]

# A year before or after can neither be kept in milliseconds since 1970 nor be converted between all zones.
FIRST_YEAR, LAST_YEAR = 1971, 9000

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)?", re.ASCII | re.IGNORECASE)


def refuse(field: str, key: str, value: object, fault: str) -> Never:
    """Raises Invalid with the place, the value and what is wrong with it."""
    raise Invalid(f"{field}.{key} {shown(value)}: {fault}")


def shown(value: object) -> str:
    """As a user would write it; of what has many parts, or parts within parts, only the first."""
    text = reprlib.repr(value) if isinstance(value, list | dict) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def text_of(value: Value, key: str, field: str) -> str:
    text = value[key]
    if not isinstance(text, str):
        refuse(field, key, text, "must be a text")
    if len(text) > MAX_PERIODICITY:
        raise Invalid(f"{field}.{key} has {len(text)} characters; at most {MAX_PERIODICITY} are allowed")
    return text


def zone_of(value: Value, field: str, default: str) -> ZoneInfo:
    """The zone that the value names, else the default."""
    name = default if value.get("timezone") is None else text_of(value, "timezone", field)
    try:
        return zone_named(name)
    except Invalid as error:
        raise Invalid(f"{field}.{error}") from error


def time_of(value: Value, key: str, field: str) -> datetime:
    """A time as it was written, with or without an offset."""
    text = text_of(value, key, field)
    try:
        time = datetime.fromisoformat(text.upper()) if _TIME.fullmatch(text) else None
    except ValueError:  # the 30th of February
        time = None
    if time is None:
        refuse(field, key, text, "is not a time such as 2026-12-24T18:00:00 or 2026-12-24T18:00:00Z")
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        refuse(field, key, text, f"the year must lie between {FIRST_YEAR} and {LAST_YEAR}")
    return time


def moment_in(time: datetime, zone: ZoneInfo) -> datetime:
    """The moment that the time names; without an offset of its own it is one of the zone."""
    return time.astimezone(UTC) if time.tzinfo else moment_of(time, zone)
