"""When a recurrence rule ticks. dateutil evaluates it in local time, without a zone; the changes of the clocks are ours.

Only rules that go from day to day or further: for shorter ones dateutil repeats and loses hours when the clocks change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule

from coal_mine.domain.errors import Invalid
from coal_mine.domain.localtime import SEARCHED_YEARS, local_time, moment_of

from .reading import LAST_YEAR
from .rule_text import Frequency, Parts

# How many days, weeks, months or years are searched for the next tick, but in each case so many steps: a rule for each hundredth year may
# want a leap year.
_SEARCHED = {DAILY: SEARCHED_YEARS * 366, WEEKLY: SEARCHED_YEARS * 53, MONTHLY: SEARCHED_YEARS * 12, YEARLY: SEARCHED_YEARS}
_LEAST_STEPS = 8


class _TooFar(Exception):
    """The search has taken too many steps."""


class _Steps(int):
    """The interval of a rule.

    dateutil searches on to the year 9999 for a date that never comes, and offers no limit. But it asks for the interval once in each step.
    """

    left: int

    @classmethod
    def of(cls, interval: int, most: int) -> _Steps:
        steps = cls(interval)
        steps.left = most
        return steps

    def __radd__(self, other: int) -> int:
        return other + self._taken()

    def __mul__(self, other: int) -> int:
        return self._taken() * other

    def _taken(self) -> int:
        self.left -= 1
        if self.left < 0:
            raise _TooFar
        return int(self)


@dataclass(frozen=True, slots=True)
class RuleTicks:
    zone: ZoneInfo
    start: datetime
    frequency: Frequency
    interval: int
    first_weekday: int
    by: dict[str, Any]  # complete: nothing is left to be taken from the start
    until: datetime | None

    @classmethod
    def of(cls, parts: Parts, start: datetime, zone: ZoneInfo) -> RuleTicks:
        """Raises Invalid when so many ticks as the rule counts would take too long."""
        ticks = cls(zone, start, parts.frequency, parts.interval, parts.first_weekday, parts.completed(start), parts.until)
        if parts.count is None:
            return ticks
        # Counting from the start again for each tick would take longer with each.
        try:
            last = next(islice(ticks._times(start), parts.count - 1, None), None)
        except _TooFar:
            raise Invalid(f"COUNT={parts.count} is not reached within {SEARCHED_YEARS} years") from None
        return replace(ticks, until=moment_of(last, zone)) if last else ticks

    def tick_after(self, at: datetime) -> datetime | None:
        local = local_time(at, self.zone)
        if local.year > LAST_YEAR:
            return None
        time = self.time_after(local)
        while time and (tick := moment_of(time, self.zone)) <= at:
            # The clocks repeat an hour, and this time had its tick before.
            time = self.time_after(time)
        return tick if time and (self.until is None or tick <= self.until) else None

    def time_after(self, local: datetime) -> datetime | None:
        """The first local time of the rule later than this one."""
        try:
            return next((time for time in self._times(self._step_of(local)) if time > local), None)
        except _TooFar:
            return None

    def _times(self, start: datetime) -> Iterator[datetime]:
        steps = _Steps.of(self.interval, max(_SEARCHED[self.frequency] // self.interval, _LEAST_STEPS))
        return iter(rrule(self.frequency, dtstart=start, interval=steps, wkst=self.first_weekday, **self.by))

    def _step_of(self, local: datetime) -> datetime:
        """The beginning of the step in which the local time lies: what follows is the same as from the start."""
        first, day = self.start.date(), local.date()
        if self.frequency == YEARLY:
            step = date(first.year + self._whole_steps(day.year - first.year), 1, 1)
        elif self.frequency == MONTHLY:
            months = first.month - 1 + self._whole_steps((day.year - first.year) * 12 + day.month - first.month)
            step = date(first.year + months // 12, months % 12 + 1, 1)
        elif self.frequency == WEEKLY:
            week = first - timedelta(days=(first.weekday() - self.first_weekday) % 7)
            step = week + timedelta(weeks=self._whole_steps((day - week).days // 7))
        else:
            step = first + timedelta(days=self._whole_steps((day - first).days))
        return max(self.start, datetime.combine(step, time()))

    def _whole_steps(self, units: int) -> int:
        """The units of all steps that have passed; none before the start."""
        return max(0, units) // self.interval * self.interval
