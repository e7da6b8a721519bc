"""A tick every so many seconds, counted from one moment. Neither zones nor restarts change anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coal_mine.domain.seconds import MAX_SECONDS, later, whole
from coal_mine.domain.times import END_OF_TIME, cut, from_millis, isoformat, to_millis

from .reading import Value, moment_in, refuse, time_of, zone_of

KEYS = ("every", "from", "timezone")


@dataclass(frozen=True, slots=True)
class Interval:
    millis: int
    first: datetime
    timezone: str  # in which people want to read the ticks

    @classmethod
    def parse(cls, value: Value, *, field: str, now: datetime, timezone: str) -> Interval:
        """Without `from` the first tick comes one period after `now`. Raises Invalid."""
        millis, zone = _millis(value["every"], field), zone_of(value, field, timezone)
        if value.get("from") is None:
            return cls(millis, later(now, millis / 1000), zone.key)
        return cls(millis, cut(moment_in(time_of(value, "from", field), zone)), zone.key)

    def tick_after(self, at: datetime) -> datetime | None:
        if at < self.first:
            return self.first
        first = to_millis(self.first)
        periods = (to_millis(at) - first) // self.millis + 1
        millis = first + periods * self.millis
        return from_millis(millis) if millis < to_millis(END_OF_TIME) else None

    def as_json(self) -> dict[str, Any]:
        """`from` is the first tick, so that reading it again later moves nothing."""
        return {"every": whole(self.millis / 1000), "from": isoformat(self.first), "timezone": self.timezone}


def _millis(every: object, field: str) -> int:
    if isinstance(every, bool) or not isinstance(every, int | float):
        refuse(field, "every", every, "must be a number of seconds")
    if not 1 <= every <= MAX_SECONDS:
        refuse(field, "every", every, f"must lie between 1 and {MAX_SECONDS} seconds (a hundred years)")
    millis = round(every * 1000)
    if millis / 1000 != every:
        refuse(field, "every", every, "must be whole milliseconds")
    return millis
