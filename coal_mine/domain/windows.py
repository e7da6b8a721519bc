"""Windows of time, each with its own number of seconds, written as crontab lines.

`* * * * sat,sun 300 ; * 0-12 * * mon-fri 300 ; # comment` says: five minutes at the weekend and on working days until 12:59; at all
other times no deadline falls. All in UTC. A directive is active in every minute that its five fields match. Unlike in a crontab, the
day of the month and the weekday must both match, as the predecessor had it.

A set of days is kept as one bit for each day, in each of the 14 kinds of year that the calendar has. So the days on which something
changes are found at once, however far away, and a trigger costs little whatever the text says.
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import combinations, groupby

from cronsim import CronSim, CronSimError

from .cron import fault_of
from .errors import Invalid
from .seconds import later, parse_seconds
from .times import END_OF_TIME, EPOCH

MAX_DIRECTIVES = 60
# How much of the future `overview` shows at the most; a schedule that changes every other minute would fill megabytes.
MAX_OVERVIEW = 1_000

Held = dict[int | float | None, int]
Days = tuple[int, ...]  # for each kind of year its days, the lowest bit for the first of January

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_MINUTES = 24 * 60
_ALL_MINUTES = (1 << _MINUTES) - 1
# In 28 years there is every kind of year, and every kind of month (length and first weekday). Where a century's last year is no leap
# year, up to 40 years pass between two years of a kind.
_SAMPLE_YEARS = range(2000, 2028)
_RETURN_YEARS = 40
_FIRST_EXAMPLE = date(2024, 1, 1)


def _kind(year: int) -> int:
    """Common years are kinds 0 to 6, leap years 7 to 13, by the weekday of the first of January."""
    return date(year, 1, 1).weekday() + 7 * isleap(year)


_YEAR_OF_KIND = tuple(year for _, year in sorted({_kind(year): year for year in _SAMPLE_YEARS}.items()))
_ALL_DAYS: Days = tuple((1 << 365 + isleap(year)) - 1 for year in _YEAR_OF_KIND)
_MONTH_OF_KIND = {monthrange(year, month): (year, month) for year in _SAMPLE_YEARS for month in range(1, 13)}


def _next_day(days: Days, start: date) -> date | None:
    """The first of the days from `start` on; None when none will ever come."""
    for year in range(start.year, min(start.year + _RETURN_YEARS, MAXYEAR) + 1):
        first = date(year, 1, 1).toordinal()
        past = max(start.toordinal() - first, 0)
        bits = days[_kind(year)] >> past
        if bits:
            return date.fromordinal(first + past + _lowest(bits))
    return None


def _lowest(bits: int) -> int:
    """The place of the lowest bit that is set; 0 when none is."""
    return (bits & -bits).bit_length() - 1 if bits else 0


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to, but not including, `end` one number of seconds holds; None in a gap."""

    start: datetime
    end: datetime
    seconds: int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """Five cron fields, and the seconds that hold in every minute that they match."""

    number: int  # its place in the text, from 1
    text: str
    minutes: int  # of the day, as bits
    days: Days
    seconds: int | float

    @classmethod
    def parse(cls, number: int, text: str) -> Directive:
        """Raises Invalid with the directive's number."""
        place = f"periodicity: directive {number} ({text[:80]!r})"
        fields = text.split()
        if len(fields) != 6:
            raise Invalid(f"{place} has {len(fields)} fields; five cron fields and a number of seconds are needed")
        written = _as_cronsim_writes(fields[:5])
        try:
            cron = CronSim(" ".join(written), EPOCH)
            seconds = parse_seconds(fields[5])
        except CronSimError as error:
            raise Invalid(f"{place}: {fault_of(error, written)}") from error
        except Invalid as error:
            raise Invalid(f"{place}: the last field {error}") from error
        cron.day_and = True
        days = _days(cron)
        if not any(days):
            raise Invalid(f"{place} names a date that never comes")
        return cls(number=number, text=text, minutes=_minutes(cron), days=days, seconds=seconds)

    def next_active(self, at: datetime) -> datetime | None:
        """The start of the first minute from that of `at` on in which it is active."""
        minute = at.hour * 60 + at.minute
        day = _next_day(self.days, at.date())
        if day == at.date() and self.minutes >> minute:
            return _moment(day, minute + _lowest(self.minutes >> minute))
        if day == at.date():
            day = _next_day(self.days, day + _DAY)
        return _moment(day, _lowest(self.minutes)) if day else None


def _as_cronsim_writes(fields: list[str]) -> list[str]:
    """The spellings that only the predecessor's parser knows (`?`, `5/10`, `sat-sun`, `L5`) in cronsim's form."""
    *others, weekday = (field.upper() for field in fields)
    items = [_translated_weekday(item) for item in weekday.split(",")]
    written = [*others, ",".join(items)]
    for place in (2, 4):
        written[place] = ",".join("*" if item == "?" else item for item in written[place].split(","))
    ends = ("59", "23", "31", "12", "6")
    return [",".join(_translated_step(item, end) for item in field.split(",")) for field, end in zip(written, ends, strict=True)]


def _translated_weekday(item: str) -> str:
    if last := re.fullmatch(r"L([0-7])(?:-([0-7]))?", item):
        return ",".join(f"{day}L" for day in range(int(last[1]), int(last[2] or last[1]) + 1)) or item
    return re.sub(r"^(?!SUN-|0-)(\w+)-(SUN|0)(?=/|$)", r"\1-7", item)


def _translated_step(item: str, end: str) -> str:
    """`5/10` counts from 5 to the end of the field; from one value to itself there is nothing to count."""
    item = re.sub(r"^(\w+)/", rf"\1-{end}/", item)
    return re.sub(r"^(\w+)-\1/0*[1-9]\d*$", r"\1", item)


def _minutes(cron: CronSim) -> int:
    hour = sum(1 << minute for minute in cron.minutes)
    return sum(hour << 60 * place for place in cron.hours)


def _days(cron: CronSim) -> Days:
    months = {
        kind: sum(1 << day - 1 for day in range(1, kind[1] + 1) if cron.match_day(date(year, month, day)))
        for kind, (year, month) in _MONTH_OF_KIND.items()
    }
    return tuple(
        sum(months[monthrange(year, month)] << date(year, month, 1).timetuple().tm_yday - 1 for month in cron.months)
        for year in _YEAR_OF_KIND
    )


def _moment(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(minutes=minute)


class Windows:
    """All directives of one text; made by `parse`."""

    def __init__(self, directives: list[Directive]) -> None:
        self._directives = directives

    @classmethod
    def parse(cls, text: str) -> Windows:
        """Raises Invalid, naming the directive. Directives that overlap are accepted: the first that matches counts."""
        parts = [part.strip() for part in re.split(r"[;\n]", text)]
        lines = [part for part in parts if part and not part.startswith("#")]
        if not lines:
            raise Invalid("periodicity: the schedule has no directive")
        if len(lines) > MAX_DIRECTIVES:
            raise Invalid(f"periodicity: the schedule has {len(lines)} directives; at most {MAX_DIRECTIVES} are allowed")
        return cls([Directive.parse(number, line) for number, line in enumerate(lines, start=1)])

    def refuse_overlaps(self) -> None:
        """Raises Invalid when two directives are ever active in the same minute."""
        for one, other in combinations(self._directives, 2):
            minutes = one.minutes & other.minutes
            if not minutes:
                continue
            day = _next_day(tuple(map(int.__and__, one.days, other.days)), _FIRST_EXAMPLE)
            if day:
                raise Invalid(
                    f"periodicity: directives {one.number} ({one.text[:60]!r}) and {other.number} ({other.text[:60]!r}) "
                    f"overlap, for example on {_moment(day, _lowest(minutes)):%Y-%m-%d at %H:%M}"
                )

    def deadline_after(self, at: datetime) -> datetime:
        """When the next trigger is due if the last event was `at`.

        Within a window: `at` plus its seconds. Where that lies beyond the window's end, or `at` lies in a gap, the next window decides:
        after a gap its start plus its seconds, directly after another window the later of its start and `at` plus its seconds. That
        holds also where the next window is shorter than its own seconds: no window is passed over.
        """
        spans = self._spans(at)
        here = next(spans, None)
        if here and here.seconds is not None:
            deadline = later(at, here.seconds)
            if deadline < here.end:
                return deadline
            following = next(spans, None)
            if following and following.seconds is not None:
                return max(following.start, later(at, following.seconds))
        window = next((span for span in spans if span.seconds is not None), None)
        return later(window.start, window.seconds or 0) if window else END_OF_TIME

    def overview(self, now: datetime) -> list[Span]:
        """The spans of the coming week, or until each directive has had its turn if that takes longer; at most MAX_OVERVIEW of them."""
        week_over = now.replace(second=0, microsecond=0) + _WEEK
        turns = [turn for directive in self._directives if (turn := directive.next_active(now))]
        spans: list[Span] = []
        for span in self._spans(now):
            if len(spans) == MAX_OVERVIEW or (span.start >= week_over and span.start > max(turns)):
                break
            spans.append(span)
        if max(turns) < week_over < spans[-1].end:
            spans[-1] = replace(spans[-1], end=week_over)
        return spans

    def _spans(self, at: datetime) -> Iterator[Span]:
        """The spans from the minute of `at` to the end of the calendar, each as long as its seconds hold."""
        for seconds, group in groupby(self._pieces(at.astimezone(UTC)), key=lambda piece: piece.seconds):
            pieces = list(group)
            yield Span(pieces[0].start, pieces[-1].end, seconds)

    def _pieces(self, at: datetime) -> Iterator[Span]:
        """As `_spans`, cut at midnights; equal days in a row are one piece."""
        day, minute = at.date(), at.hour * 60 + at.minute
        while day < date.max:
            seconds = None
            for begin, end, seconds in self._runs(day, minute):
                yield Span(_moment(day, begin), _moment(day, end), seconds)
            tomorrow = day + _DAY
            day = _next_day(self._days_with_other_than(seconds), tomorrow) or date.max
            if day > tomorrow:
                yield Span(_moment(tomorrow, 0), _moment(day, 0), seconds)
            minute = 0

    def _runs(self, day: date, minute: int) -> Iterator[tuple[int, int, int | float | None]]:
        """The day from `minute` on, as (first minute, minute after the last, seconds)."""
        held = self._held_on(day)
        while minute < _MINUTES:
            seconds, minutes = next((seconds, minutes >> minute) for seconds, minutes in held.items() if minutes >> minute & 1)
            end = minute + _lowest(~minutes)
            yield minute, end, seconds
            minute = end

    def _held_on(self, day: date) -> Held:
        kind, place = _kind(day.year), day.timetuple().tm_yday - 1
        return _held([directive for directive in self._directives if directive.days[kind] >> place & 1])

    def _days_with_other_than(self, seconds: float | None) -> Days:
        """The days on which not only these seconds hold."""
        return tuple(all_ & ~whole.get(seconds, 0) for all_, whole in zip(_ALL_DAYS, self._whole_days, strict=True))

    @cached_property
    def _whole_days(self) -> list[dict[int | float | None, int]]:
        """For each kind of year: the days on which one number of seconds, or the gap, holds from midnight to midnight."""
        return [self._whole_days_of(kind) for kind in range(len(_ALL_DAYS))]

    def _whole_days_of(self, kind: int) -> dict[int | float | None, int]:
        days_by_active: dict[tuple[Directive, ...], int] = {(): _ALL_DAYS[kind]}
        for directive in self._directives:
            days_by_active = {
                key: days
                for active, all_ in days_by_active.items()
                for key, days in ((active, all_ & ~directive.days[kind]), ((*active, directive), all_ & directive.days[kind]))
                if days
            }
        whole: dict[int | float | None, int] = {}
        for active, days in days_by_active.items():
            held = _held(active)
            if len(held) == 1:
                (seconds,) = held
                whole[seconds] = whole.get(seconds, 0) | days
        return whole


def _held(active: Sequence[Directive]) -> Held:
    """For each number of seconds the minutes in which it holds on a day with these directives; the first that matches counts."""
    held: Held = {}
    free = _ALL_MINUTES
    for directive in active:
        if directive.minutes & free:
            held[directive.seconds] = held.get(directive.seconds, 0) | directive.minutes & free
        free &= ~directive.minutes
    if free:
        held[None] = free
    return held
