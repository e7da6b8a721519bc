"""A tick every so many seconds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coal_mine.domain.errors import Invalid
from coal_mine.domain.seconds import MAX_SECONDS
from tests.domain.samples import NOW
from tests.domain.ticking import PARIS, instant, parsed, ticks


def test_the_first_tick_is_the_given_start() -> None:
    assert ticks({"every": 300, "from": "2026-11-22T10:00:00Z"}, "2026-11-22", 2) == ["22 10:00 +0000", "22 10:05 +0000"]


def test_without_a_start_the_first_tick_comes_one_period_later() -> None:
    assert parsed({"every": 300}).tick_after(NOW) == NOW + timedelta(seconds=300)


def test_reading_it_again_later_moves_nothing() -> None:
    schedule = parsed({"every": 300})

    assert parsed(schedule.as_json(), now=NOW + timedelta(seconds=100)) == schedule


def test_ticks_go_on_from_the_start_and_not_from_the_question() -> None:
    schedule = parsed({"every": 7, "from": "2026-11-22T10:00:00Z"})

    assert schedule.tick_after(instant("2026-11-22T10:00:20")) == instant("2026-11-22T10:00:21")


def test_at_a_tick_the_next_one_follows() -> None:
    schedule = parsed({"every": 7, "from": "2026-11-22T10:00:00Z"})

    assert schedule.tick_after(instant("2026-11-22T10:00:21")) == instant("2026-11-22T10:00:28")


def test_parts_of_a_second_add_up() -> None:
    schedule = parsed({"every": 1.001, "from": "2026-11-22T10:00:00Z"})

    assert schedule.tick_after(instant("2026-11-22T10:16:40.5")) == instant("2026-11-22T10:16:41")


def test_a_change_of_the_clocks_is_no_change() -> None:
    every_six_hours = {"every": 21_600, "from": "2026-10-24T12:00:00", "timezone": PARIS}

    assert ticks(every_six_hours, "2026-10-24T12:00", 3) == ["24 18:00 +0200", "25 00:00 +0200", "25 05:00 +0100"]


@pytest.mark.parametrize("every", [1, 1.5, 300, MAX_SECONDS])
def test_the_number_stays_as_it_was_given(every: float) -> None:
    assert parsed({"every": every}).as_json()["every"] == every


def test_a_hundred_years_on_no_tick_is_beyond_the_calendar() -> None:
    schedule = parsed({"every": MAX_SECONDS, "from": "8999-01-01T00:00:00Z"})

    assert schedule.tick_after(instant("9990-01-01")) is None


@pytest.mark.parametrize(
    ("every", "fault"),
    [
        (0, "must lie between 1 and"),
        (0.999, "must lie between 1 and"),
        (-300, "must lie between 1 and"),
        (MAX_SECONDS + 1, "must lie between 1 and"),
        (10**400, "must lie between 1 and"),
        (float("nan"), "must lie between 1 and"),
        (float("inf"), "must lie between 1 and"),
        (1.0005, "must be whole milliseconds"),
        (True, "must be a number of seconds"),
        ("300", "must be a number of seconds"),
        (None, "must be a number of seconds"),
        ([300], "must be a number of seconds"),
    ],
)
def test_what_is_not_a_length_of_time_is_refused(every: object, fault: str) -> None:
    with pytest.raises(Invalid, match=rf"^schedules\[2\]\.every .*: {fault}"):
        parsed({"every": every})
