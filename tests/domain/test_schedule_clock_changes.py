"""What schedules of all kinds do when the clocks are changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from coal_mine.domain.schedule import ticks_between
from tests.domain.ticking import LORD_HOWE, NEW_YORK, PARIS, instant, parsed, ticks


def at_half_past(hour: int, zone: str, day: str) -> list[dict[str, Any]]:
    """The same time of the day in the words of each kind."""
    return [
        {"cron": f"30 {hour} * * *", "timezone": zone},
        {"cron": f"0 30 {hour} * * *", "timezone": zone},
        {"fields": {"minute": [30], "hour": str(hour)}, "timezone": zone},
        {"rrule": f"FREQ=DAILY;BYHOUR={hour};BYMINUTE=30;BYSECOND=0", "from": "2026-01-01T00:00:00", "timezone": zone},
        {"at": f"{day}T{hour:02}:30:00", "timezone": zone},
    ]


KINDS = range(5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_time_in_a_gap_ticks_right_after_it(kind: int) -> None:
    assert ticks(at_half_past(2, PARIS, "2027-03-28")[kind], "2027-03-27T12:00", 1) == ["28 03:00 +0200"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_repeated_time_ticks_the_first_time(kind: int) -> None:
    assert ticks(at_half_past(2, PARIS, "2026-10-25")[kind], "2026-10-24T12:00", 1) == ["25 02:30 +0200"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_repeated_time_does_not_tick_the_second_time(kind: int) -> None:
    ten_past_two_the_second_time = "2026-10-25T01:10"

    assert ticks(at_half_past(2, PARIS, "2026-10-25")[kind], ten_past_two_the_second_time, 1) in (["26 02:30 +0100"], [])


@pytest.mark.parametrize("kind", KINDS)
def test_a_gap_of_half_an_hour_delays_to_its_end(kind: int) -> None:
    schedule = at_half_past(2, LORD_HOWE, "2026-10-04")[kind]

    assert ticks(schedule, "2026-10-03T12:00", 1) == ["04 02:30 +1100"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_repeated_half_hour_ticks_once(kind: int) -> None:
    schedule = parsed(at_half_past(1, LORD_HOWE, "2027-04-04")[kind])

    assert ticks_between([schedule], instant("2027-04-03T10:00"), instant("2027-04-03T18:00"), 9) == [instant("2027-04-03T14:30")]


@pytest.mark.parametrize(
    "schedule",
    [
        {"cron": "0,20,40 2,3 * * *"},
        {"cron": "0 0,20,40 2,3 * * *"},
        {"fields": {"minute": [0, 20, 40], "hour": [2, 3]}},
        {"rrule": "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0,20,40", "from": "2026-01-01T00:00:00"},
    ],
    ids=["cron", "cron with seconds", "fields", "rrule"],
)
def test_several_times_in_a_gap_are_one_tick(schedule: dict[str, Any]) -> None:
    expected = ["28 03:00 +0200", "28 03:20 +0200", "28 03:40 +0200", "29 02:00 +0200"]

    assert ticks({**schedule, "timezone": PARIS}, "2027-03-27T12:00", 4) == expected


EVERY_HALF_HOUR = [{"cron": "*/30 * * * *"}, {"cron": "0 */30 * * * *"}, {"cron": "0,30 * * * *"}, {"fields": {"minute": "*/30"}}]


@pytest.mark.parametrize("schedule", EVERY_HALF_HOUR, ids=str)
def test_steps_go_on_by_real_time_through_the_repeated_hour(schedule: dict[str, Any]) -> None:
    expected = ["01 01:00 -0400", "01 01:30 -0400", "01 01:00 -0500", "01 01:30 -0500", "01 02:00 -0500"]

    assert ticks({**schedule, "timezone": NEW_YORK}, "2026-11-01T04:40", 5) == expected


@pytest.mark.parametrize("schedule", EVERY_HALF_HOUR, ids=str)
def test_steps_go_on_by_real_time_through_the_gap(schedule: dict[str, Any]) -> None:
    assert ticks({**schedule, "timezone": NEW_YORK}, "2027-03-14T06:10", 3) == ["14 01:30 -0500", "14 03:00 -0400", "14 03:30 -0400"]


def test_a_range_of_hours_in_a_list_of_fields_is_real_time() -> None:
    from_one_to_three = {"fields": {"minute": 30, "hour": "1-3"}, "timezone": NEW_YORK}

    assert ticks(from_one_to_three, "2026-11-01T04:00", 3) == ["01 01:30 -0400", "01 01:30 -0500", "01 02:30 -0500"]


def test_a_range_of_hours_in_a_crontab_is_several_times_of_the_day() -> None:
    assert ticks({"cron": "30 1-3 * * *", "timezone": NEW_YORK}, "2026-11-01T04:00", 2) == ["01 01:30 -0400", "01 02:30 -0500"]


def test_steps_of_a_job_are_real_time_as_those_of_all_are() -> None:
    in_the_repeated_hour = ticks({"cron": "H/30 1 * * *", "timezone": NEW_YORK}, "2026-11-01T04:00", 4)

    assert [tick[-5:] for tick in in_the_repeated_hour] == ["-0400", "-0400", "-0500", "-0500"]


def test_a_repeated_half_hour_counts_twice_by_real_time() -> None:
    expected = ["04 01:30 +1100", "04 01:45 +1100", "04 01:30 +1030", "04 01:45 +1030"]

    assert ticks({"cron": "*/15 1 * * *", "timezone": LORD_HOWE}, "2027-04-03T14:20", 4) == expected


def test_the_hour_after_a_repeated_half_hour_is_whole() -> None:
    expected = ["04 02:00 +1030", "04 02:15 +1030", "04 02:30 +1030", "04 02:45 +1030"]

    assert ticks({"cron": "*/15 2 * * *", "timezone": LORD_HOWE}, "2027-04-03T14:20", 4) == expected


def test_a_midnight_that_comes_twice_ticks_once() -> None:
    schedule = parsed({"cron": "0 0 * * *", "timezone": "America/Havana"})

    assert ticks_between([schedule], instant("2026-10-31T12:00"), instant("2026-11-01T12:00"), 9) == [instant("2026-11-01T04:00")]


def test_a_midnight_that_is_left_out_ticks_at_the_days_beginning() -> None:
    assert ticks({"cron": "0 0 * * *", "timezone": "Asia/Beirut"}, "2026-03-28T12:00", 1) == ["29 01:00 +0300"]


def test_the_last_hour_of_a_day_that_is_repeated_counts_twice_by_real_time() -> None:
    schedule = parsed({"cron": "*/30 23 * * sat", "timezone": "Asia/Beirut"})
    found = ticks_between([schedule], instant("2026-10-24T12:00"), instant("2026-10-25T12:00"), 9)

    assert found == [instant("2026-10-24T20:00") + number * timedelta(minutes=30) for number in range(4)]
