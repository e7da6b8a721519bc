"""Lists of values for the fields of a local time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from coal_mine.domain.errors import Invalid
from coal_mine.domain.schedule import ticks_between
from tests.domain.samples import HOUR, SECOND
from tests.domain.ticking import instant, parsed, ticks

MIDNIGHT = instant("2026-11-22")
DAY = 24 * HOUR
ANY = [None, "", [], "*", "*/1", ["", None, []], ["*", 5]]


def of_one_day(fields: Any, day: datetime = MIDNIGHT) -> list[str]:
    found = ticks_between([parsed({"fields": fields})], day - SECOND, day + DAY - SECOND, 2_000)
    return [f"{tick:%H:%M}" for tick in found]


@pytest.mark.parametrize("fields", [None, {}, *({"minute": value, "hour": value} for value in ANY)])
def test_nothing_given_means_every_minute(fields: Any) -> None:
    assert len(of_one_day(fields)) == 1_440


@pytest.mark.parametrize("minute", [30, "030", [30], ["30"], [[["30"]]], "30,30", " 30 ", ["", 30]])
def test_a_value_can_be_written_as_number_text_or_list(minute: Any) -> None:
    assert of_one_day({"minute": minute, "hour": 5}) == ["05:30"]


@pytest.mark.parametrize("hour", ["3-5", ["3", "4", 5], "3,4-5", [[3], "4, 5"]])
def test_ranges_and_lists_add_up(hour: Any) -> None:
    assert of_one_day({"minute": 0, "hour": hour}) == ["03:00", "04:00", "05:00"]


def test_a_step_takes_the_multiples() -> None:
    assert of_one_day({"minute": "*/25", "hour": "*/10"}) == [
        "00:00",
        "00:25",
        "00:50",
        "10:00",
        "10:25",
        "10:50",
        "20:00",
        "20:25",
        "20:50",
    ]


@pytest.mark.parametrize(("field", "first"), [("dayofmonth", "2027-01-02"), ("month", "2027-02-01"), ("dayofweek", "2027-01-02")])
def test_a_step_counts_from_zero_where_values_begin_with_one(field: str, first: str) -> None:
    assert parsed({"fields": {field: "*/2"}}).tick_after(instant("2026-12-31T23:59")) == instant(first)


def test_sunday_is_the_seventh_day_of_the_week() -> None:
    assert parsed({"fields": {"dayofweek": 7}}).tick_after(instant("2026-11-23")) == instant("2026-11-29")


def test_weeks_are_those_of_iso() -> None:
    assert parsed({"fields": {"week": 53}}).tick_after(instant("2026-11-23")) == instant("2026-12-28")


def test_the_first_days_of_january_can_belong_to_week_53() -> None:
    schedule = parsed({"fields": {"week": 53, "month": 1, "hour": 0, "minute": 0}})

    assert ticks_between([schedule], instant("2026-12-01"), instant("2030-01-01"), 9) == [instant(f"2027-01-0{day}") for day in (1, 2, 3)]


def test_day_of_the_month_and_weekday_must_both_match() -> None:
    assert parsed({"fields": {"dayofmonth": 13, "dayofweek": 5}}).tick_after(instant("2026-11-22")) == instant("2027-08-13")


def test_a_schedule_is_read_in_its_zone() -> None:
    assert ticks({"fields": {"hour": 3, "minute": 0}, "timezone": "Asia/Tokyo"}, "2026-11-22", 1) == ["23 03:00 +0900"]


@pytest.mark.parametrize(
    "fields", [None, {}, {"minute": ["*/5", [1, None, ""]], "hour": "3-5", "week": None}, {"hour": [], "minute": "  "}]
)
def test_the_fields_come_back_as_they_were_given(fields: Any) -> None:
    assert parsed({"fields": fields}).as_json() == {"fields": fields, "timezone": "UTC"}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"hour": "22-6"}, r"hour '22-6': the range is reversed; write '22-23,0-6'"),
        ({"dayofweek": 0}, r"dayofweek '0': the values go from 1 to 7, Monday to Sunday"),
        ({"dayofweek": "*/8"}, r"dayofweek '\*/8': no value from 1 to 7 is a multiple of 8"),
        ({"minute": "*/0"}, r"minute '\*/0': a step of 0 leads nowhere; write '\*' for every value"),
        ({"minute": ["5", "60"]}, r"minute '60': the values go from 0 to 59"),
        ({"hour": "20-24"}, r"hour '20-24': the values go from 0 to 23"),
        ({"month": 0}, r"month '0': the values go from 1 to 12"),
        ({"week": 54}, r"week '54': the values go from 1 to 53"),
        ({"dayofmonth": "32"}, r"dayofmonth '32': the values go from 1 to 31"),
        ({"month": "jan"}, r"month 'jan': is neither a number, nor a range"),
        ({"minute": "0-30/5"}, r"minute '0-30/5': is neither"),
        ({"minute": -5}, r"minute '-5': is neither"),
        ({"minute": "5,"}, r"minute '': is neither"),
        ({"minute": 1.5}, r"minute 1\.5: must be an integer, a text or a list of these"),
        ({"minute": True}, r"minute True: must be an integer"),
        ({"minute": [{}]}, r"minute \{\}: must be an integer"),
        ({"minute": "9" * 100}, r"minute '9+\.\.\.: is neither"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_field(fields: Any, fault: str) -> None:
    with pytest.raises(Invalid, match=rf"^schedules\[2\]\.fields\.{fault}"):
        parsed({"fields": fields})


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(Invalid, match=r"fields has an unknown field 'second'; known are month, week, dayofweek"):
        parsed({"fields": {"second": "5"}})


@pytest.mark.parametrize("name", ["minutes", "Minute", "DayOfWeek"])
def test_a_field_that_is_almost_known_is_named_as_it_must_be(name: str) -> None:
    with pytest.raises(Invalid, match=rf"fields has an unknown field '{name}'; write '{name.lower().removesuffix('s')}'$"):
        parsed({"fields": {name: "5"}})


@pytest.mark.parametrize("fields", [[], "", 5, False, "*/5 * * * *"])
def test_only_an_object_holds_fields(fields: Any) -> None:
    with pytest.raises(Invalid, match=r"^schedules\[2\]\.fields .*: must be an object such as"):
        parsed({"fields": fields})


@pytest.mark.parametrize("fields", [{"month": 2, "dayofmonth": 30}, {"week": 20, "month": 1}, {"month": "4,6", "dayofmonth": 31}])
def test_a_date_that_never_comes_is_refused(fields: Any) -> None:
    with pytest.raises(Invalid, match=r"^schedules\[2\]\.fields .*: never comes$"):
        parsed({"fields": fields})


def test_lists_in_lists_have_a_limit() -> None:
    value: Any = 5
    for _ in range(100_000):
        value = [value]

    with pytest.raises(Invalid, match="minute has lists within lists, more than 10 deep"):
        parsed({"fields": {"minute": value}})


def test_very_many_values_are_refused_without_repeating_them() -> None:
    with pytest.raises(Invalid, match=r"^schedules\[2\]\.fields has [0-9]+ characters; at most 4096 are allowed$"):
        parsed({"fields": {"minute": [5] * 10_000}})
