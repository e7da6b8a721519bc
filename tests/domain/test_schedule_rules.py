"""Recurrence rules of calendars."""

from __future__ import annotations

from datetime import datetime
from time import process_time

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from coal_mine.domain.errors import Invalid
from coal_mine.domain.schedule import ticks_between
from tests.domain.samples import NOW, SECOND
from tests.domain.ticking import PARIS, instant, parsed, ticks

START = "2026-11-22T10:00:00"


def test_a_rule_names_weekday_and_time() -> None:
    rule = {"rrule": "FREQ=WEEKLY;BYDAY=MO;BYHOUR=3;BYMINUTE=0", "from": START, "timezone": PARIS}

    assert ticks(rule, START, 2) == ["23 03:00 +0100", "30 03:00 +0100"]


def test_what_the_rule_leaves_open_is_as_it_is_at_the_start() -> None:
    assert ticks({"rrule": "FREQ=MONTHLY", "from": START}, START, 2) == ["22 10:00 +0000", "22 10:00 +0000"]


def test_the_start_itself_is_a_tick_if_the_rule_names_it() -> None:
    assert ticks({"rrule": "FREQ=DAILY", "from": START}, "2026-01-01", 2) == ["22 10:00 +0000", "23 10:00 +0000"]


def test_the_start_is_no_tick_if_the_rule_does_not_name_it() -> None:
    assert ticks({"rrule": "FREQ=DAILY;BYHOUR=3", "from": START}, "2026-01-01", 1) == ["23 03:00 +0000"]


def test_a_start_with_an_offset_is_read_in_the_zone() -> None:
    assert parsed({"rrule": "FREQ=DAILY", "from": f"{START}Z", "timezone": PARIS}).as_json()["from"] == "2026-11-22T11:00:00"


def test_without_a_start_the_rule_begins_with_its_next_time() -> None:
    assert parsed({"rrule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=3"}).as_json()["from"] == "2026-11-30T03:00:00"


def test_without_a_start_count_begins_with_the_next_time() -> None:
    schedule = parsed({"rrule": "FREQ=DAILY;COUNT=3"}, now=NOW)

    assert [tick.day for tick in ticks_between([schedule], NOW, instant("2030-01-01"), 9)] == [23, 24, 25]


def test_count_ends_the_ticks() -> None:
    rule = {"rrule": "FREQ=DAILY;BYHOUR=3,15;COUNT=3", "from": "2026-11-22T10:00:00"}

    assert ticks(rule, "2026-01-01", 9) == ["22 15:00 +0000", "23 03:00 +0000", "23 15:00 +0000"]


@pytest.mark.parametrize("until", ["20261124T100000", "20261124T100000Z", "20261124", "20261125T095959"])
def test_until_includes_its_moment_and_a_date_its_day(until: str) -> None:
    assert ticks({"rrule": f"FREQ=DAILY;UNTIL={until}", "from": START}, "2026-11-23", 9) == ["23 10:00 +0000", "24 10:00 +0000"]


def test_until_without_an_offset_is_local() -> None:
    rule = {"rrule": "FREQ=DAILY;UNTIL=20261123T100000", "from": START, "timezone": PARIS}

    assert ticks(rule, START, 9) == ["23 10:00 +0100"]


def test_until_the_end_of_the_calendar_is_no_limit() -> None:
    assert len(ticks({"rrule": "FREQ=DAILY;UNTIL=99991231T235959Z", "from": START}, "2999-01-01", 2)) == 2


@pytest.mark.parametrize("rule", ["rrule:freq=daily", "RRULE:FREQ=DAILY", " FREQ=DAILY "])
def test_a_rule_stays_as_it_was_written(rule: str) -> None:
    assert parsed({"rrule": rule, "from": START}).as_json() == {"rrule": rule, "from": START, "timezone": "UTC"}


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("", "'' is not a part of a rule; known are FREQ"),
        ("FREQ=DAILY;", "'' is not a part"),
        ("BYDAY=MO", "needs FREQ, one of YEARLY, MONTHLY, WEEKLY, DAILY"),
        ("FREQ=HOURLY", 'FREQ=HOURLY is too short for a rule; use "every" or "cron"'),
        ("FREQ=MINUTELY", 'use "every" or "cron"'),
        ("FREQ=SECONDLY", 'use "every" or "cron"'),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ is given twice"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "COUNT and UNTIL exclude each other"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0 is not a number from 1 to 10000"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL=-1 is not a number"),
        ("FREQ=DAILY;COUNT=0", "COUNT=0 is not a number from 1 to 10000"),
        ("FREQ=YEARLY;COUNT=60", "COUNT=60 is not reached within 50 years"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR=24 is not a number from 0 to 23"),
        ("FREQ=DAILY;BYMONTH=-1", "BYMONTH=-1 is not a number from 1 to 12"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0 is not a number from 1 to 31, or the same with a minus"),
        ("FREQ=MONTHLY;BYSETPOS=x", "BYSETPOS=X is not a number"),
        ("FREQ=WEEKLY;BYDAY=2MO", "BYDAY=2MO counts weekdays, which needs FREQ=MONTHLY or FREQ=YEARLY"),
        ("FREQ=MONTHLY;BYDAY=XX", "BYDAY=XX is not a weekday such as MO"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY=0MO is not a weekday"),
        ("FREQ=WEEKLY;WKST=1", "WKST=1 is not one of MO, TU"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL=TOMORROW is not a time such as"),
        ("FREQ=DAILY;UNTIL=20270230", "UNTIL=20270230 is not a time such as"),
        ("FREQ=DAILY;BYEASTER=0", "'BYEASTER=0' is not a part of a rule"),
        (f"FREQ=DAILY;BYMINUTE={','.join(map(str, range(60)))};BYHOUR=1,2", 'has more than 96 times of day; use "every" or "cron"'),
        ("FREQ=DAILY\nEXDATE:20261224", "needs FREQ, one of"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_fault(rule: str, fault: str) -> None:
    with pytest.raises(Invalid) as refused:
        parsed({"rrule": rule, "from": START})

    assert str(refused.value).startswith("schedules[2].rrule ")
    assert fault in str(refused.value)


@pytest.mark.parametrize("frequency", ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "DAILY;INTERVAL=109", "YEARLY;BYSETPOS=1", "DAILY;COUNT=2"])
def test_a_date_that_never_comes_is_refused_before_long(frequency: str) -> None:
    started = process_time()

    with pytest.raises(Invalid, match=r"never comes$|is not reached within 50 years$"):
        parsed({"rrule": f"FREQ={frequency};BYMONTH=2;BYMONTHDAY=30", "from": START})
    assert process_time() - started < 2  # without a limit it would be ten


def test_a_leap_year_is_found_among_each_hundredth() -> None:
    schedule = parsed({"rrule": "FREQ=YEARLY;INTERVAL=100;BYMONTH=2;BYMONTHDAY=29", "from": "2000-01-01T00:00"})

    assert schedule.tick_after(NOW) == instant("2400-02-29")


def test_a_rule_that_ended_before_it_began_is_refused() -> None:
    with pytest.raises(Invalid, match="never comes"):
        parsed({"rrule": "FREQ=DAILY;UNTIL=20200101", "from": START})


def integers(name: str, low: int, high: int) -> st.SearchStrategy[str]:
    return st.lists(st.integers(low, high).filter(bool), min_size=1, max_size=3).map(lambda values: f";{name}={','.join(map(str, values))}")


# Rules that do come: for others dateutil would search to the end of the calendar.
STEPS = st.one_of(st.integers(1, 5).map(lambda interval: f";INTERVAL={interval}"), integers("BYMONTH", 1, 12))
DAYS = st.one_of(st.sampled_from(["", ";BYDAY=MO", ";BYDAY=SU,WE", ";BYDAY=MO,TU,WE,TH,FR"]), integers("BYMONTHDAY", -28, 28))
HOURS = st.one_of(st.just(""), integers("BYHOUR", 1, 23))
ENDS = st.sampled_from(["", ";BYSETPOS=1", ";BYSETPOS=-1", ";WKST=SU"])
RULES = st.builds("FREQ={}{}{}{}{}".format, st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"]), STEPS, DAYS, HOURS, ENDS)
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1)).map(lambda time: time.replace(microsecond=0))  # noqa: DTZ001


@settings(max_examples=150)
@given(RULES, TIMES, TIMES)
def test_ticks_are_those_that_dateutil_finds_from_the_start(rule: str, start: datetime, after: datetime) -> None:
    full = rrulestr(rule, dtstart=start)
    expected = full.between(after, datetime(2034, 1, 1))[:3]  # noqa: DTZ001
    try:
        schedule = parsed({"rrule": rule, "from": start.isoformat()})
    except Invalid:
        assert not expected
    else:
        until = instant("2034-01-01") - SECOND
        assert [tick.replace(tzinfo=None) for tick in ticks_between([schedule], instant(after.isoformat()), until, 3)] == expected
