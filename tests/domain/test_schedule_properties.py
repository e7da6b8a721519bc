"""What holds for all schedules, above all on the days on which the clocks are changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coal_mine.domain.errors import Invalid
from coal_mine.domain.schedule import schedule_from_json, ticks_between
from coal_mine.domain.times import cut
from tests.domain.samples import NOW
from tests.domain.ticking import CHANGE_DAYS, LORD_HOWE, MINUTE, NEW_YORK, PARIS, parsed

ZONES = st.sampled_from([PARIS, NEW_YORK, LORD_HOWE, "UTC", "America/Havana", "Africa/Casablanca", "Africa/Cairo", "Asia/Kathmandu"])
BOUNDS = {"month": (1, 12), "week": (1, 53), "dayofweek": (1, 7), "dayofmonth": (1, 31), "hour": (0, 23), "minute": (0, 59)}
Field = tuple[Any, set[int], bool]  # as it is written, what it means, and whether it names single values


def fields_of(name: str) -> st.SearchStrategy[Field]:
    low, high = BOUNDS[name]
    value = st.integers(low, high)
    steps = st.integers(1, high)
    single = st.lists(value, min_size=1, max_size=3).map(lambda values: (values, set(values), True))
    ranges = st.tuples(value, value).map(sorted).map(lambda ends: (f"{ends[0]}-{ends[1]}", set(range(ends[0], ends[1] + 1)), False))
    multiples = steps.map(lambda step: ([f"*/{step}"], {number for number in range(low, high + 1) if number % step == 0}, False))
    return st.one_of(st.just((None, set(range(low, high + 1)), False)), single, ranges, multiples)


# Days and months are mostly left open, for the schedules to tick at all within a day.
FIELD_LISTS = st.fixed_dictionaries(
    {"hour": fields_of("hour"), "minute": fields_of("minute")}, optional={"dayofweek": fields_of("dayofweek")}
)


def brute_force(fields: dict[str, Field], zone: str, start: datetime) -> Iterator[datetime]:
    """The ticks of a day and a half, found by looking at the clock in each minute."""
    by_real_time = not (fields["hour"][2] and fields["minute"][2])
    seen = (start - MINUTE).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    for moment in (start + number * MINUTE for number in range(36 * 60)):
        shown = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        passed = [shown] if by_real_time else [seen + number * MINUTE for number in range(1, (shown - seen) // MINUTE + 1)]
        seen = max(seen, shown)
        if any(matches(fields, minute) for minute in passed):
            yield moment


def matches(fields: dict[str, Field], minute: datetime) -> bool:
    shown = {"hour": minute.hour, "minute": minute.minute, "dayofweek": minute.isoweekday()}
    return all(shown[name] in field[1] for name, field in fields.items())


@settings(max_examples=60)
@given(FIELD_LISTS, st.sampled_from(CHANGE_DAYS))
def test_lists_of_fields_tick_as_the_clock_shows_minute_by_minute(fields: dict[str, Field], change: tuple[str, datetime]) -> None:
    zone, day = change
    schedule = parsed({"fields": {name: field[0] for name, field in fields.items()}, "timezone": zone})
    found = ticks_between([schedule], day - timedelta(milliseconds=1), day + timedelta(hours=36) - MINUTE, 2_500)

    assert found == list(brute_force(fields, zone, day))


def cron_field(low: int, high: int) -> st.SearchStrategy[str]:
    value = st.integers(low, high)
    ranges = st.tuples(value, value).map(sorted).filter(lambda ends: ends[0] < ends[1]).map(lambda ends: f"{ends[0]}-{ends[1]}")
    return st.one_of(st.just("*"), value.map(str), ranges, st.integers(1, 15).map(lambda step: f"*/{min(step, high)}"))


DAYS = st.one_of(st.just("*"), cron_field(1, 31), st.sampled_from(["L", "LW", "1,15"]))
WEEKDAYS = st.one_of(st.just("*"), cron_field(0, 6), st.sampled_from(["5L", "2#3", "mon-fri", "7"]))
CRONTABS = st.tuples(cron_field(0, 59), cron_field(0, 23), DAYS, st.one_of(st.just("*"), cron_field(1, 12)), WEEKDAYS).map(" ".join)


@pytest.mark.parametrize("zone", ["UTC", PARIS, NEW_YORK])
@settings(max_examples=80)
@given(CRONTABS, st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_crontabs_tick_as_cronsim_says_where_the_clocks_change_by_an_hour(zone: str, expression: str, at: datetime) -> None:
    try:
        schedule = parsed({"cron": expression, "timezone": zone})
    except Invalid:
        assume(False)
    # Asked in a repeated hour, cronsim begins with ticks of the first time round.
    expected = (tick for tick in map(cut, CronSim(expression, at.astimezone(ZoneInfo(zone)))) if tick > at)
    for _ in range(5):
        tick = schedule.tick_after(at)
        assert tick == next(expected)
        at = tick


SCHEDULES = st.one_of(
    CRONTABS.map(lambda text: {"cron": text}),
    st.tuples(cron_field(0, 59), CRONTABS).map(lambda parts: {"cron": " ".join(parts)}),
    st.sampled_from(["H * * * *", "H/7 1-3 * * *", "H H(0-5) * * *"]).map(lambda text: {"cron": text}),
    FIELD_LISTS.map(lambda fields: {"fields": {name: field[0] for name, field in fields.items()}}),
    st.floats(1, 1e6).map(lambda seconds: {"every": round(seconds, 3)}),
    st.sampled_from(["FREQ=DAILY;BYHOUR=0,1,2,3;BYMINUTE=0,15,30", "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2", "FREQ=YEARLY;COUNT=9"]).map(
        lambda text: {"rrule": text}
    ),
)


@settings(max_examples=250)
@given(SCHEDULES, ZONES, st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_ticks_grow_in_whole_milliseconds_and_survive_being_stored(value: dict[str, Any], zone: str, at: datetime) -> None:
    try:
        schedule = parsed({**value, "timezone": zone})
    except Invalid:
        assume(False)
    stored = schedule_from_json(json.dumps(schedule.as_json()))

    assert stored == schedule == parsed(schedule.as_json(), seed="another", now=NOW + timedelta(days=9))
    for _ in range(5):
        tick = schedule.tick_after(at)
        assert tick == stored.tick_after(at)
        if tick is None:
            break
        assert tick > at
        assert tick == cut(tick)
        assert tick.tzinfo is UTC
        at = tick


@settings(max_examples=250)
@given(SCHEDULES, st.sampled_from(CHANGE_DAYS), st.integers(0, 86_400), st.integers(0, 86_400))
def test_the_next_tick_is_the_same_from_anywhere_before_it(
    value: dict[str, Any], change: tuple[str, datetime], first: int, second: int
) -> None:
    zone, day = change
    try:
        schedule = parsed({**value, "timezone": zone})
    except Invalid:
        assume(False)
    earlier, later = (day + timedelta(seconds=seconds) for seconds in sorted((first, second)))
    tick = schedule.tick_after(earlier)

    assert tick is None or tick <= later or tick == schedule.tick_after(later)


LETTERS = st.text("0123459*/-,LWH#()? @dailyFREQ=;BYMONTHUC+", max_size=40)


@settings(max_examples=200)
@given(
    st.one_of(
        st.builds(lambda text: {"cron": text}, st.one_of(LETTERS, st.lists(LETTERS, min_size=5, max_size=6).map(" ".join))),
        st.builds(lambda text: {"fields": {"minute": text}}, LETTERS),
        st.builds(
            lambda text, start: {"rrule": f"FREQ=MONTHLY;{text}", "from": start}, LETTERS, st.sampled_from([None, "2026-11-22T10:00"])
        ),
        st.builds(lambda text: {"at": text, "timezone": text}, LETTERS),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), LETTERS),
            lambda values: st.dictionaries(
                st.sampled_from(["cron", "every", "at", "fields", "rrule", "from", "timezone", "seed", "hour"]), values
            ),
        ),
    )
)
def test_whatever_is_written_is_a_schedule_or_refused_with_its_place(value: Any) -> None:
    fault = ""
    try:
        schedule = parsed(value)
    except Invalid as refused:
        fault = str(refused)

    assert fault.startswith("schedules[2]") if fault else parsed(schedule.as_json()) == schedule
