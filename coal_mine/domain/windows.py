"""Windows of time, each with its own number of seconds, written as crontab lines.

`* * * * sat,sun 300 ; * 0-12 * * mon-fri 300 ; # comment` says: five minutes at the weekend and on working days until 12:59; at all
other times no deadline falls. All in UTC. A directive is active in every minute that its five fields match. Unlike in a crontab, the
day of the month and the weekday must both match, as the predecessor had it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import combinations, groupby

from cronsim import CronSim, CronSimError

from .errors import Invalid
from .seconds import later, parse_seconds
from .times import EPOCH

MAX_DIRECTIVES = 60
# How much of the future `overview` shows at the most; a schedule that changes every other minute would fill megabytes.
MAX_OVERVIEW = 1_000

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
# Within these 28 years every date falls once on every weekday.
_CYCLE = range(date(2024, 1, 1).toordinal(), date(2052, 1, 1).toordinal())


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to, but not including, `end` one number of seconds holds; None in a gap."""

    start: datetime
    end: datetime
    seconds: int | float | None


class Directive:
    """Five cron fields, and the seconds that hold in every minute that they match."""

    def __init__(self, number: int, text: str) -> None:
        """Raises Invalid with the directive's number, from 1."""
        self.number = number
        self.text = text
        place = f"periodicity: directive {number} ({text[:80]!r})"
        fields = text.split()
        if len(fields) != 6:
            raise Invalid(f"{place} has {len(fields)} fields; five cron fields and a number of seconds are needed")
        try:
            self._cron = CronSim(" ".join(_as_cronsim_writes(fields[:5])), EPOCH)
            self.seconds = parse_seconds(fields[5])
        except CronSimError as error:
            raise Invalid(f"{place}: {error}") from error
        except Invalid as error:
            raise Invalid(f"{place}: the last field {error}") from error
        self._cron.day_and = True
        self.minutes = frozenset(hour * 60 + minute for hour in self._cron.hours for minute in self._cron.minutes)
        if not any(self.matches(date.fromordinal(day)) for day in _CYCLE):
            raise Invalid(f"{place} names a date that never comes")

    def matches(self, day: date) -> bool:
        return day.month in self._cron.months and bool(self._cron.match_day(day))

    def may_share_a_day(self, other: Directive) -> bool:
        """False is certain; True may turn out to be wrong for days such as 'last Friday'."""
        return bool(self._cron.months & other._cron.months and (self._is_special or other._is_special or self._shares_dates(other)))

    def _shares_dates(self, other: Directive) -> bool:
        return bool(self._cron.days & other._cron.days and self._cron.weekdays & other._cron.weekdays)

    @property
    def _is_special(self) -> bool:
        """Has it days that depend on the month, such as L or 5#2?"""
        return any(day < 1 for day in self._cron.days) or any(isinstance(weekday, tuple) for weekday in self._cron.weekdays)

    @cached_property
    def days(self) -> frozenset[int]:
        """All days on which it matches, as ordinals, in one cycle of the calendar."""
        return frozenset(day for day in _CYCLE if self.matches(date.fromordinal(day)))


def _as_cronsim_writes(fields: list[str]) -> list[str]:
    """The spellings that only the predecessor's parser knows (`?`, `5/10`, weekday `L5`) in cronsim's form."""
    ends = ("59", "23", "31", "12", "6")
    written = []
    for place, (field, end) in enumerate(zip(fields, ends, strict=True)):
        field = "*" if field == "?" and place in (2, 4) else field
        field = re.sub(r"(^|,)(\d+)/", rf"\g<1>\g<2>-{end}/", field)
        written.append(re.sub(r"(^|,)[lL]([0-7])\b", r"\g<1>\g<2>L", field) if place == 4 else field)
    return written


class Windows:
    """All directives of one text; made by `parse`."""

    def __init__(self, directives: list[Directive]) -> None:
        self._directives = directives
        self._runs_of: dict[tuple[int, ...], list[tuple[int, int, int | float | None]]] = {}
        self._empty_days: tuple[date, date] | None = None  # the last stretch found of days without any window

    @classmethod
    def parse(cls, text: str) -> Windows:
        """Raises Invalid, naming the directive. Directives that overlap are accepted: the first that matches counts."""
        parts = [part.strip() for part in re.split(r"[;\n]", text)]
        lines = [part for part in parts if part and not part.startswith("#")]
        if not lines:
            raise Invalid("periodicity: the schedule has no directive")
        if len(lines) > MAX_DIRECTIVES:
            raise Invalid(f"periodicity: the schedule has {len(lines)} directives; at most {MAX_DIRECTIVES} are allowed")
        return cls([Directive(number, line) for number, line in enumerate(lines, start=1)])

    def refuse_overlaps(self) -> None:
        """Raises Invalid when two directives are ever active in the same minute."""
        for one, other in combinations(self._directives, 2):
            if not one.minutes & other.minutes or not one.may_share_a_day(other):
                continue
            day = min(one.days & other.days, default=None)
            if day is not None:
                minute = min(one.minutes & other.minutes)
                raise Invalid(
                    f"periodicity: directives {one.number} ({one.text[:60]!r}) and {other.number} ({other.text[:60]!r}) "
                    f"overlap, for example on {date.fromordinal(day)} at {minute // 60:02}:{minute % 60:02}"
                )

    def deadline_after(self, at: datetime) -> datetime:
        """When the next trigger is due if the last event was `at`.

        Within a window: `at` plus its seconds. Where that lies beyond the window's end, or `at` lies in a gap, the next window decides:
        after a gap its start plus its seconds, directly after another window the later of its start and `at` plus its seconds. That
        holds also where the next window is shorter than its own seconds: no window is passed over.
        """
        pieces = self._pieces(at)
        here = next(pieces)
        if here.seconds is not None:
            deadline = later(at, here.seconds)
            while here.end <= deadline:
                following = next(pieces)
                if following.seconds is None:
                    break
                if following.seconds != here.seconds:
                    return max(following.start, later(at, following.seconds))
                here = following
            else:
                return deadline
        window = next(piece for piece in pieces if piece.seconds is not None)
        return later(window.start, window.seconds or 0)

    def overview(self, now: datetime) -> list[Span]:
        """The spans of the coming week, or until each directive has had its turn if that takes longer; at most MAX_OVERVIEW of them."""
        spans: list[Span] = []
        unseen = set(range(len(self._directives)))
        for piece in self._pieces(now):
            if piece.start >= now + _WEEK and not unseen:
                break
            unseen.difference_update(self._active_on(piece.start.date()))
            if spans and spans[-1].seconds == piece.seconds:
                spans[-1] = replace(spans[-1], end=piece.end)
            elif len(spans) == MAX_OVERVIEW:
                break
            else:
                spans.append(piece)
        return spans

    def _pieces(self, at: datetime) -> Iterator[Span]:
        """The spans from the minute of `at` on, without end, cut at each midnight except between days without any window."""
        start = at.astimezone(UTC).replace(second=0, microsecond=0)
        day = start.date()
        while True:
            midnight = datetime.combine(day, time(), UTC)
            for begin, end, seconds in self._runs(day):
                piece = Span(midnight + timedelta(minutes=begin), midnight + timedelta(minutes=end), seconds)
                if piece.end > start:
                    yield replace(piece, start=max(piece.start, start))
            following = self._skip_empty(day + _DAY)
            if following > day + _DAY:
                yield Span(midnight + _DAY, datetime.combine(following, time(), UTC), None)
            day = following

    def _skip_empty(self, day: date) -> date:
        """The first day from `day` on that has a window."""
        if self._empty_days and self._empty_days[0] <= day < self._empty_days[1]:
            return self._empty_days[1]
        found = day
        while not self._active_on(found):
            found += _DAY
        if found > day:
            self._empty_days = (day, found)
        return found

    def _active_on(self, day: date) -> tuple[int, ...]:
        return tuple(index for index, directive in enumerate(self._directives) if directive.matches(day))

    def _runs(self, day: date) -> list[tuple[int, int, int | float | None]]:
        """The day as (first minute, minute after the last, seconds)."""
        active = self._active_on(day)
        if active not in self._runs_of:
            seconds_at: list[int | float | None] = [None] * (24 * 60)
            for index in reversed(active):
                for minute in self._directives[index].minutes:
                    seconds_at[minute] = self._directives[index].seconds
            runs, begin = [], 0
            for seconds, group in groupby(seconds_at):
                end = begin + len(list(group))
                runs.append((begin, end, seconds))
                begin = end
            self._runs_of[active] = runs
        return self._runs_of[active]
