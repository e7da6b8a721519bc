"""When a job runs. A schedule names its ticks; a job may have several of any kind.

In JSON a schedule is an object with one of these keys, and `timezone`::

    {"cron": "*/5 * * * *", "timezone": "Europe/Paris"}     five fields; six with the second first; @daily; H. See schedules/crontab.py
    {"every": 300, "from": "2026-11-22T10:00:00Z"}          seconds, counted from a moment
    {"at": "2026-12-24T18:00:00"}                           once
    {"fields": {"minute": ["*/5"], "hour": "8-17"}}         lists of values; see schedules/field_lists.py
    {"rrule": "FREQ=WEEKLY;BYDAY=MO", "from": "..."}        a recurrence rule of calendars; see schedules/rule_text.py

A local time that is left out when the clocks change ticks right after the gap, and one that is repeated ticks the first time. No moment
is two ticks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from .errors import Invalid
from .schedules import crontab, field_lists, interval, once, recurrence
from .schedules.crontab import Crontab
from .schedules.field_lists import FieldLists
from .schedules.interval import Interval
from .schedules.once import Once
from .schedules.reading import Value, shown
from .schedules.recurrence import RecurrenceRule
from .schedules.unreadable import Unreadable
from .times import EPOCH

Schedule = Crontab | Interval | Once | FieldLists | RecurrenceRule | Unreadable

# The key that tells the kind, with all keys of that kind.
_KEYS = {"cron": crontab.KEYS, "every": interval.KEYS, "at": once.KEYS, "fields": field_lists.KEYS, "rrule": recurrence.KEYS}


def parse_schedule(value: object, *, field: str, seed: str, now: datetime, timezone: str = "UTC") -> Schedule:
    """The schedule that the JSON value says.

    `field`, such as `schedules[2]`, begins each message. `seed` decides what H stands for; it is the job's id. `now` is from when
    intervals and rules count that name no start, and `timezone` holds when the value names none. Raises Invalid.
    """
    schedule = _parse(value, field, seed, now, timezone)
    if schedule.tick_after(EPOCH) is None:
        kind = next(key for key in schedule.as_json() if key in _KEYS)
        raise Invalid(f"{field}.{kind} {shown(schedule.as_json()[kind])}: never comes")
    return schedule


@lru_cache(maxsize=16_384)
def schedule_from_json(text: str) -> Schedule:
    """What was stored as the JSON text of a schedule's `as_json`. The text is trusted: whether a tick ever comes was checked before."""
    try:
        return _parse(json.loads(text), "schedule", "", EPOCH, "UTC")
    except Invalid as error:
        return Unreadable(text, str(error))


def stored_schedules(values: Sequence[object]) -> tuple[Schedule, ...]:
    """As schedule_from_json, of values that were parsed already."""
    return tuple(schedule_from_json(json.dumps(value)) for value in values)


def _parse(value: object, field: str, seed: str, now: datetime, timezone: str) -> Schedule:
    kind, given = _kind(value, field)
    match kind:
        case "cron":
            return Crontab.parse(given, field=field, seed=seed, timezone=timezone)
        case "every":
            return Interval.parse(given, field=field, now=now, timezone=timezone)
        case "at":
            return Once.parse(given, field=field, timezone=timezone)
        case "fields":
            return FieldLists.parse(given, field=field, timezone=timezone)
        case _:
            return RecurrenceRule.parse(given, field=field, now=now, timezone=timezone)


def _kind(value: object, field: str) -> tuple[str, Value]:
    if not isinstance(value, Mapping):
        raise Invalid(f'{field} {shown(value)}: must be an object such as {{"cron": "*/5 * * * *", "timezone": "Europe/Paris"}}')
    kinds = [key for key in _KEYS if key in value]
    if len(kinds) != 1:
        raise Invalid(f"{field} must have exactly one of {', '.join(_KEYS)}; it has {' and '.join(kinds) or 'none'}")
    for key in value:
        if key not in _KEYS[kinds[0]]:
            raise Invalid(f"{field} has an unknown key {shown(key)}; beside {kinds[0]} there may be {', '.join(_KEYS[kinds[0]][1:])}")
    return kinds[0], value


def next_tick(schedules: Sequence[Schedule], after: datetime) -> datetime | None:
    """The earliest tick of all schedules strictly later than `after`; two that agree are one. None when none will come."""
    return min((tick for schedule in schedules if (tick := schedule.tick_after(after))), default=None)


def ticks_between(schedules: Sequence[Schedule], after: datetime, until: datetime, most: int) -> list[datetime]:
    """The ticks later than `after` and not later than `until`, oldest first, at most so many."""
    ticks: list[datetime] = []
    tick = next_tick(schedules, after)
    while tick and tick <= until and len(ticks) < most:
        ticks.append(tick)
        tick = next_tick(schedules, tick)
    return ticks


def period_at(schedules: Sequence[Schedule], at: datetime) -> timedelta | None:
    """How far the next two ticks after `at` lie apart; None when fewer than two will come."""
    first = next_tick(schedules, at)
    second = next_tick(schedules, first) if first else None
    return second - first if first and second else None
