"""A schedule as a recurrence rule of calendars (RFC 5545), such as `FREQ=WEEKLY;BYDAY=MO;BYHOUR=3;BYMINUTE=0`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from coal_mine.domain.errors import Invalid
from coal_mine.domain.localtime import local_time

from .reading import Value, refuse, text_of, time_of, zone_of
from .rule_text import Parts, read_rule
from .rule_ticks import RuleTicks

KEYS = ("rrule", "from", "timezone")


@dataclass(frozen=True, slots=True)
class RecurrenceRule:
    rule: str  # as it was given
    start: datetime  # local; intervals are counted from here, and what the rule leaves open is as it is here
    timezone: str
    _ticks: RuleTicks = field(repr=False, compare=False)

    @classmethod
    def parse(cls, value: Value, *, field: str, now: datetime, timezone: str) -> RecurrenceRule:
        """Without `from` the rule starts with its next time after `now`. Raises Invalid."""
        text, zone = text_of(value, "rrule", field), zone_of(value, field, timezone)
        start = None if value.get("from") is None else _local_second(time_of(value, "from", field), zone)
        try:
            parts = read_rule(text, zone)
            start = start or _next_time(parts, _local_second(now, zone), zone)
            return cls(text, start, zone.key, RuleTicks.of(parts, start, zone))
        except Invalid as error:
            refuse(field, "rrule", text, str(error))

    def tick_after(self, at: datetime) -> datetime | None:
        return self._ticks.tick_after(at)

    def as_json(self) -> dict[str, Any]:
        return {"rrule": self.rule, "from": self.start.isoformat(), "timezone": self.timezone}


def _local_second(time: datetime, zone: ZoneInfo) -> datetime:
    """A local time remains as it is, even one that the clocks leave out on that day: it stands for all days."""
    return (local_time(time, zone) if time.tzinfo else time).replace(microsecond=0)


def _next_time(parts: Parts, local: datetime, zone: ZoneInfo) -> datetime:
    """From there, which COUNT takes as the first, the same times follow as from `local`."""
    return RuleTicks.of(replace(parts, count=None), local, zone).time_after(local) or local
