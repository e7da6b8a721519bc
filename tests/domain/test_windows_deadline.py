"""When the next trigger is due under windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coal_mine.domain.times import END_OF_TIME
from coal_mine.domain.windows import Windows
from tests.domain.oracle import EVENTS, Rule, rules, seconds_at, slow_deadline, text_of

WEEKEND_AND_MORNINGS = "* * * * sat,sun 300 ; * 0-12 * * mon-fri 90 ; # the afternoons are free"
SOME_RULES = st.lists(rules(), min_size=1, max_size=3)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
FRIDAY = MONDAY + timedelta(days=4)
HUNDRED_YEARS = "3162240000"


def deadline(text: str, event: datetime) -> datetime:
    return Windows.parse(text).deadline_after(event)


def test_a_deadline_that_fits_into_the_window_comes_after_the_windows_seconds() -> None:
    event = MONDAY + timedelta(hours=9, milliseconds=250)

    assert deadline(WEEKEND_AND_MORNINGS, event) == event + timedelta(seconds=90)


def test_an_event_in_a_gap_counts_from_the_start_of_the_next_window() -> None:
    event = MONDAY + timedelta(hours=15)

    assert deadline(WEEKEND_AND_MORNINGS, event) == MONDAY + timedelta(days=1, seconds=90)


def test_a_deadline_that_would_fall_into_a_gap_counts_from_the_start_of_the_next_window() -> None:
    event = FRIDAY + timedelta(hours=12, minutes=59, seconds=30)

    assert deadline(WEEKEND_AND_MORNINGS, event) == FRIDAY + timedelta(days=1, seconds=300)


def test_the_last_minute_of_a_window_belongs_to_it() -> None:
    event = MONDAY + timedelta(hours=12, minutes=58, seconds=29)

    assert deadline(WEEKEND_AND_MORNINGS, event) == MONDAY + timedelta(hours=12, minutes=59, seconds=59)


def test_no_deadline_falls_on_the_first_instant_of_a_gap() -> None:
    event = MONDAY + timedelta(hours=12, minutes=58, seconds=30)

    assert deadline(WEEKEND_AND_MORNINGS, event) == MONDAY + timedelta(days=1, seconds=90)


def test_a_deadline_that_passes_into_another_window_takes_that_windows_seconds() -> None:
    event = MONDAY + timedelta(hours=11, minutes=59)

    assert deadline("* 0-11 * * * 120 ; * 12-23 * * * 7200", event) == event + timedelta(hours=2)


def test_a_deadline_that_passes_into_a_stricter_window_is_not_before_its_start() -> None:
    event = MONDAY + timedelta(hours=11)

    assert deadline("* 0-11 * * * 7200 ; * 12-23 * * * 60", event) == MONDAY + timedelta(hours=12)


def test_a_window_shorter_than_its_own_seconds_is_not_passed_over() -> None:
    start_up_slowly = "0 2 * * * 3600 ; 1-59 2 * * * 600 ; * 3-23 * * * 600"

    assert deadline(start_up_slowly, MONDAY + timedelta(hours=1)) == MONDAY + timedelta(hours=3)


def test_neighbouring_windows_with_equal_seconds_are_one_window() -> None:
    event = MONDAY + timedelta(hours=11)

    assert deadline("* 0-11 * * * 7200 ; * 12-23 * * * 7200", event) == event + timedelta(hours=2)


def test_a_window_goes_on_past_midnight() -> None:
    event = MONDAY + timedelta(hours=23, minutes=59)

    assert deadline("* * * * * 300", event) == event + timedelta(seconds=300)


def test_the_day_of_the_month_and_the_weekday_must_both_match() -> None:
    first_friday_the_13th = datetime(2026, 11, 13, tzinfo=UTC)

    assert deadline("* * 13 * fri 60", datetime(2026, 11, 1, tzinfo=UTC)) == first_friday_the_13th + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("fields", "year"),
    [("0 0 29 2 *", 2028), ("0 0 29 2 0", 2032), ("0 0 29 2 mon#5", 2044), ("0 0 29 2 L2", 2028), ("0 0 LW 2 tue", 2028)],
)
def test_a_leap_day_is_found_however_far_away(fields: str, year: int) -> None:
    found = deadline(f"{fields} 60", datetime(2026, 11, 22, tzinfo=UTC))

    assert found == datetime(year, 2, 29, 0, 1, tzinfo=UTC)


def test_a_leap_day_is_found_past_a_century_without_one() -> None:
    found = deadline("0 0 29 2 mon 60", datetime(2072, 3, 1, tzinfo=UTC))

    assert found == datetime(2112, 2, 29, 0, 1, tzinfo=UTC)


def test_at_the_end_of_the_calendar_nothing_is_due() -> None:
    assert deadline("* * * * mon 60", END_OF_TIME) == END_OF_TIME


@given(SOME_RULES, EVENTS)
def test_a_deadline_lies_after_its_event(some: list[Rule], event: datetime) -> None:
    assert deadline(text_of(some), event) > event


@settings(max_examples=50)
@given(st.lists(rules(rare=True), min_size=1, max_size=3), EVENTS)
def test_a_deadline_of_rare_windows_lies_after_its_event(some: list[Rule], event: datetime) -> None:
    assume(all(rule.ever_comes() for rule in some))

    assert deadline(text_of(some), event) > event


@given(SOME_RULES, EVENTS)
def test_a_deadline_is_the_one_found_minute_by_minute(some: list[Rule], event: datetime) -> None:
    assert deadline(text_of(some), event) == slow_deadline(some, event)


@settings(max_examples=50)
@given(SOME_RULES, EVENTS)
def test_in_a_gap_a_deadline_is_the_next_windows_start_and_its_seconds(some: list[Rule], event: datetime) -> None:
    assume(seconds_at(some, event) is None)
    start = event.replace(second=0, microsecond=0)
    while (seconds := seconds_at(some, start)) is None:
        start += timedelta(minutes=1)

    assert deadline(text_of(some), event) == start + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        f"* * * * * {HUNDRED_YEARS}",
        f"* 0-11 * * * {HUNDRED_YEARS} ; * 12-23 * * * {HUNDRED_YEARS}",
        f"*/2 * * * * {HUNDRED_YEARS} ; 1/2 * * * * 1",
        "0 0 29 2 mon#5 60",
        "* * * * * 300 ; 0 5 1 * * 60",  # overlaps, and is refused as input, but may stand in an old store
        " ; ".join(f"{place} * * * * {HUNDRED_YEARS}" for place in range(60)),
        " ; ".join(f"{place} * L,LW,{place % 28 + 1} * L{place % 7},{place % 7}#5 {HUNDRED_YEARS}" for place in range(60)),
        " ; ".join(f"{place} * * {place % 12 + 1} {place % 7} {place + 1}" for place in range(60)),
        " ; ".join(f"{place},59 * {place % 31 + 1}/2 * {place % 7} {HUNDRED_YEARS}" for place in range(60)),
    ],
)
def test_no_schedule_makes_a_trigger_slow(text: str) -> None:
    windows = Windows.parse(text)
    windows.deadline_after(MONDAY)
    events = [MONDAY + timedelta(hours=5 * count) for count in range(500)]
    started = process_time()
    for event in events:
        windows.deadline_after(event)

    # Processor time, which a busy machine does not stretch; what this test is for took hundreds of milliseconds for each event.
    assert process_time() - started < 0.02 * len(events)
