"""Several schedules of one job."""

from __future__ import annotations

from datetime import timedelta

from coal_mine.domain.schedule import next_tick, period_at, ticks_between
from tests.domain.ticking import instant, parsed

NIGHTLY = parsed({"cron": "30 2 * * *"})
HOURLY = parsed({"cron": "0 * * * *"})
HALF_HOURLY = parsed({"every": 1_800, "from": "2026-11-22T00:00:00Z"})
CHRISTMAS = parsed({"at": "2026-12-24T18:00:00Z"})
NEW_YEAR = parsed({"at": "2027-01-01T00:00:00Z"})
AT_TWO = instant("2026-11-22T02:00")


def test_the_next_tick_is_the_earliest_of_all() -> None:
    assert next_tick([HOURLY, CHRISTMAS, NIGHTLY], AT_TWO) == instant("2026-11-22T02:30")


def test_without_schedules_there_is_no_tick() -> None:
    assert next_tick([], AT_TWO) is None


def test_when_all_are_over_there_is_no_tick() -> None:
    assert next_tick([CHRISTMAS, NEW_YEAR], instant("2027-01-01")) is None


def test_two_ticks_at_once_are_one() -> None:
    found = ticks_between([HOURLY, HALF_HOURLY, NIGHTLY], AT_TWO, instant("2026-11-22T03:30"), 9)

    assert found == [instant("2026-11-22T02:30"), instant("2026-11-22T03:00"), instant("2026-11-22T03:30")]


def test_the_beginning_is_excluded_and_the_end_included() -> None:
    assert ticks_between([HOURLY], AT_TWO, AT_TWO + timedelta(hours=2), 9) == [AT_TWO + timedelta(hours=1), AT_TWO + timedelta(hours=2)]


def test_only_so_many_of_the_oldest_are_told() -> None:
    assert ticks_between([HOURLY], AT_TWO, instant("2027-11-22"), 2) == [AT_TWO + timedelta(hours=1), AT_TWO + timedelta(hours=2)]


def test_none_are_told_when_none_are_wanted() -> None:
    assert ticks_between([HOURLY], AT_TWO, instant("2027-11-22"), 0) == []


def test_the_period_is_the_distance_of_the_next_two_ticks() -> None:
    assert period_at([NIGHTLY, HOURLY], AT_TWO) == timedelta(minutes=30)


def test_the_period_of_two_single_ticks_is_their_distance() -> None:
    assert period_at([CHRISTMAS, NEW_YEAR], AT_TWO) == timedelta(days=7, hours=6)


def test_a_single_tick_has_no_period() -> None:
    assert period_at([CHRISTMAS], AT_TWO) is None


def test_nothing_has_no_period() -> None:
    assert period_at([CHRISTMAS], instant("2027-01-01")) is None
