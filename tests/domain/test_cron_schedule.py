"""Ticks of a cron schedule, and the deadlines that follow from them with a grace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coal_mine.domain.cron import ALIASES, Cron
from coal_mine.domain.errors import Invalid
from coal_mine.domain.periodicity import OnSchedule, parse_schedule
from tests.domain.samples import NOW

NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"


def ticks(expression: str, zone: str, after: str, count: int) -> list[str]:
    """The ticks after an instant in UTC, in local time with the offset."""
    cron, at, found = Cron.parse(expression, zone), datetime.fromisoformat(after).replace(tzinfo=UTC), []
    for _ in range(count):
        at = cron.tick_after(at)
        found.append(at.astimezone(ZoneInfo(zone)).strftime("%d %H:%M %z"))
    return found


def test_the_deadline_is_the_first_tick_after_the_event_plus_the_grace() -> None:
    schedule = parse_schedule("30 2 * * *", "600", None)

    assert schedule.deadline_after(NOW) == datetime(2026, 11, 23, 2, 40, tzinfo=UTC)


def test_a_trigger_at_the_very_tick_is_followed_by_the_next_one() -> None:
    tick = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)

    assert Cron.parse("30 2 * * *", "UTC").tick_after(tick) == tick + timedelta(days=1)


def test_a_trigger_just_before_the_tick_is_followed_by_it() -> None:
    tick = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)

    assert Cron.parse("30 2 * * *", "UTC").tick_after(tick - timedelta(milliseconds=1)) == tick


def test_the_schedule_is_read_in_its_time_zone() -> None:
    schedule = parse_schedule("30 2 * * *", "600", "Asia/Tokyo")

    assert schedule.deadline_after(NOW) == datetime(2026, 11, 22, 17, 40, tzinfo=UTC)


def test_without_grace_and_time_zone_an_hour_and_utc_are_taken() -> None:
    assert parse_schedule(" 30  2 * * * ", None, None) == OnSchedule("30 2 * * *", 3_600, "UTC")


def test_an_alias_is_kept_as_it_was_written() -> None:
    assert parse_schedule("@daily", None, None).expression == "@daily"


@pytest.mark.parametrize("alias", [*ALIASES, "@Daily"])
def test_an_alias_means_its_five_fields(alias: str) -> None:
    assert Cron.parse(alias, "UTC") == Cron.parse(ALIASES[alias.lower()], "UTC")


def test_day_and_weekday_of_a_schedule_are_alternatives_as_in_a_crontab() -> None:
    assert ticks("0 0 13 * fri", "UTC", "2026-11-07", 3) == ["13 00:00 +0000", "20 00:00 +0000", "27 00:00 +0000"]


def test_a_tick_in_the_hour_that_spring_leaves_out_comes_right_after_the_gap() -> None:
    assert ticks("30 2 * * *", NEW_YORK, "2027-03-13T12:00", 2) == ["14 03:00 -0400", "15 02:30 -0400"]


def test_a_tick_in_the_hour_that_autumn_repeats_comes_once_the_first_time() -> None:
    assert ticks("30 1 * * *", NEW_YORK, "2026-10-31T12:00", 2) == ["01 01:30 -0400", "02 01:30 -0500"]


def test_a_trigger_in_the_repeated_hour_is_not_followed_by_a_tick_of_the_past() -> None:
    ten_past_one_the_second_time = "2026-11-01T06:10"

    assert ticks("30 1 * * *", NEW_YORK, ten_past_one_the_second_time, 1) == ["02 01:30 -0500"]


def test_steps_go_on_by_real_time_through_the_repeated_hour() -> None:
    expected = ["01 01:00 -0400", "01 01:30 -0400", "01 01:00 -0500", "01 01:30 -0500", "01 02:00 -0500"]

    assert ticks("*/30 * * * *", NEW_YORK, "2026-11-01T04:40", 5) == expected


def test_steps_go_on_by_real_time_through_the_gap() -> None:
    assert ticks("*/30 * * * *", NEW_YORK, "2027-03-14T06:10", 3) == ["14 01:30 -0500", "14 03:00 -0400", "14 03:30 -0400"]


def test_a_gap_of_half_an_hour_delays_a_tick_to_its_end() -> None:
    assert ticks("15 2 * * *", LORD_HOWE, "2026-10-03T12:00", 2) == ["04 02:30 +1100", "05 02:15 +1100"]


def test_a_repeated_half_hour_has_a_tick_once() -> None:
    assert ticks("45 1 * * *", LORD_HOWE, "2027-04-03T00:00", 2) == ["04 01:45 +1100", "05 01:45 +1030"]


@given(
    st.sampled_from(["30 1 * * *", "15,45 0-3 * * *", "*/7 * * * *", "* 1 * * *", "0-59 1 * * *", "5 0 1 * *"]),
    st.sampled_from([NEW_YORK, LORD_HOWE, "America/Havana", "Africa/Cairo", "Europe/Dublin", "Africa/Casablanca"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_tick_lies_after_its_event_in_every_zone(expression: str, zone: str, at: datetime) -> None:
    assert Cron.parse(expression, zone).tick_after(at) > at


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("", "must have five fields"),
        ("* * * *", "must have five fields"),
        ("* * * * * *", "must have five fields"),
        ("@reboot", "must have five fields"),
        ("60 * * * *", "Bad minute"),
        ("* * * * 8", "Bad day-of-week"),
        ("0 0 30 2 *", "never comes"),
    ],
)
def test_a_wrong_schedule_is_refused_with_its_fault(expression: str, fault: str) -> None:
    with pytest.raises(Invalid, match=f"schedule '.*{fault}"):
        parse_schedule(expression, None, None)


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "America", "a\0b", "\ud800", "x" * 5_000])
def test_an_unknown_time_zone_is_refused(timezone: str) -> None:
    with pytest.raises(Invalid, match=r"timezone .* is not known"):
        parse_schedule("@daily", None, timezone)


@pytest.mark.parametrize("grace", ["0", "-1", "nan", "inf", "an hour", ""])
def test_a_grace_must_be_a_positive_number(grace: str) -> None:
    with pytest.raises(Invalid, match=r"grace .* is not a positive number of seconds"):
        parse_schedule("@daily", grace, None)


@pytest.mark.parametrize("expression", ["0 0 29 2 */7", "59 23 31 12 */7", "*/1 23 29 2 */7", "0-59 0-23 29 2 */7"])
def test_no_schedule_makes_a_trigger_slow(expression: str) -> None:
    cron = Cron.parse(expression, NEW_YORK)
    started = process_time()
    for year in range(2026, 2126):
        cron.tick_after(datetime(year, 3, 1, tzinfo=UTC))

    assert process_time() - started < 100 * 0.05
