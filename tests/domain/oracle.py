"""Windows as the requirement words them, minute by minute and day by day: slow, and without the code under test."""

from __future__ import annotations

import calendar
from collections.abc import Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

MINUTE = timedelta(minutes=1)
# In these 28 years every date falls on every weekday.
DAYS = [date(2024, 1, 1) + timedelta(days=place) for place in range(28 * 365 + 7)]


@dataclass(frozen=True)
class Rule:
    """A directive as plain sets, and the text that says the same."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: Set[int | str]  # of the month; "L" is the last one
    months: frozenset[int]
    weekdays: Set[int | tuple[int, str | int]]  # 0 is Sunday; (5, "L") the last Friday, (5, 2) the second one
    seconds: int | float
    _known: dict[date, bool] = field(default_factory=dict, compare=False, repr=False)

    def on(self, day: date) -> bool:
        if day not in self._known:
            self._known[day] = self._matches(day)
        return self._known[day]

    def _matches(self, day: date) -> bool:
        last = calendar.monthrange(day.year, day.month)[1]
        weekday = day.isoweekday() % 7
        names_of_day = {day.day, "L"} if day.day == last else {day.day}
        names_of_weekday = {weekday, (weekday, (day.day + 6) // 7)} | ({(weekday, "L")} if day.day + 7 > last else set())
        return day.month in self.months and bool(self.days & names_of_day) and bool(self.weekdays & names_of_weekday)

    def ever_comes(self) -> bool:
        return any(self.on(day) for day in DAYS)

    def at(self, moment: datetime) -> bool:
        return moment.minute in self.minutes and moment.hour in self.hours and self.on(moment.date())


def seconds_at(rules: list[Rule], moment: datetime) -> int | float | None:
    return next((rule.seconds for rule in rules if rule.at(moment)), None)


def slow_deadline(rules: list[Rule], event: datetime) -> datetime:
    minute = event.replace(second=0, microsecond=0)
    here = seconds_at(rules, minute)
    if here is not None:
        deadline = event + timedelta(seconds=here)
        while seconds_at(rules, minute) == here:
            minute += MINUTE
            if deadline < minute:
                return deadline
        following = seconds_at(rules, minute)
        if following is not None:
            return max(minute, event + timedelta(seconds=following))
    while (seconds := seconds_at(rules, minute)) is None:
        minute += MINUTE
    return minute + timedelta(seconds=seconds)


@st.composite
def fields(draw: st.DrawFn, low: int, high: int) -> tuple[str, frozenset[int]]:
    start = draw(st.integers(low, high))
    end = draw(st.integers(start, high))
    step = draw(st.integers(1, 5))
    return draw(
        st.sampled_from(
            [
                ("*", frozenset(range(low, high + 1))),
                (f"*/{step}", frozenset(range(low, high + 1, step))),
                (f"{start}-{end}", frozenset(range(start, end + 1))),
                (f"{start},{end}", frozenset({start, end})),
                (f"{start}/{step}", frozenset(range(start, high + 1, step))),
            ]
        )
    )


SECONDS = st.sampled_from([0.5, 30, 60, 90, 600, 3_600, 5_000, 86_400, 100_000])
SPECIAL_DAYS: st.SearchStrategy[tuple[str, frozenset[int | str]]] = st.sampled_from(
    [("*", frozenset(range(1, 32))), ("L", frozenset({"L"})), ("1,L", frozenset({1, "L"}))]
)
SPECIAL_WEEKDAYS: st.SearchStrategy[tuple[str, frozenset[int | tuple[int, str | int]]]] = st.sampled_from(
    [("*", frozenset(range(7))), ("L5", frozenset({(5, "L")})), ("5#2,0", frozenset({(5, 2), 0}))]
)


@st.composite
def rules(draw: st.DrawFn, *, rare: bool = False) -> Rule:
    """Any directive; one that is not `rare` is active on some day of each week."""
    minute, minutes = draw(fields(0, 59))
    hour, hours = draw(fields(0, 23))
    day, days = draw(fields(1, 31) | SPECIAL_DAYS) if rare else ("*", frozenset(range(1, 32)))
    month, months = draw(fields(1, 12)) if rare else ("*", frozenset(range(1, 13)))
    weekday, weekdays = draw(fields(0, 6) | SPECIAL_WEEKDAYS) if rare else draw(fields(0, 6))
    seconds = draw(SECONDS)
    text = f"{minute} {hour} {day} {month} {weekday} {seconds}"
    return Rule(text, minutes, hours, days, months, weekdays, seconds)


def text_of(rules: list[Rule]) -> str:
    return " ; ".join(rule.text for rule in rules)


EVENTS = st.datetimes(datetime(2024, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
