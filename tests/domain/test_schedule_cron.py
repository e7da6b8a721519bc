"""A job's schedule in cron's words."""

from __future__ import annotations

import pytest

from coal_mine.domain.cron import ALIASES
from coal_mine.domain.errors import Invalid
from tests.domain.ticking import instant, parsed, ticks


def test_five_fields_begin_with_the_minute() -> None:
    assert ticks({"cron": "30 2 * * *"}, "2026-11-22", 2) == ["22 02:30 +0000", "23 02:30 +0000"]


def test_six_fields_begin_with_the_second() -> None:
    assert ticks({"cron": "15,45 30 2 * * *"}, "2026-11-22", 3) == ["22 02:30:15 +0000", "22 02:30:45 +0000", "23 02:30:15 +0000"]


def test_seconds_can_count_in_steps() -> None:
    assert ticks({"cron": "*/20 * * * * *"}, "2026-11-22T10:00:05", 3) == ["22 10:00:20 +0000", "22 10:00:40 +0000", "22 10:01 +0000"]


@pytest.mark.parametrize("alias", [*ALIASES, "@Daily"])
def test_an_alias_means_its_five_fields(alias: str) -> None:
    assert ticks({"cron": alias}, "2026-11-22", 3) == ticks({"cron": ALIASES[alias.lower()]}, "2026-11-22", 3)


@pytest.mark.parametrize("expression", ["0 12 ? * *", "0 12 * * ?", "0 12 ? * ?"])
def test_a_question_mark_among_the_days_stands_for_any(expression: str) -> None:
    assert ticks({"cron": expression}, "2026-11-22", 2) == ["22 12:00 +0000", "23 12:00 +0000"]


def test_day_and_weekday_are_alternatives_as_in_a_crontab() -> None:
    assert ticks({"cron": "0 0 13 * fri"}, "2026-11-07", 3) == ["13 00:00 +0000", "20 00:00 +0000", "27 00:00 +0000"]


def test_the_last_day_of_a_month_can_be_named() -> None:
    assert ticks({"cron": "0 0 L * *"}, "2027-02-01", 2) == ["28 00:00 +0000", "31 00:00 +0000"]


def test_a_leap_day_on_a_given_weekday_comes_after_decades() -> None:
    schedule = parsed({"cron": "0 0 29 2 */7"})

    assert schedule.tick_after(instant("2032-03-01")) == instant("2060-02-29")


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("", "needs five fields"),
        ("* * * *", "needs five fields"),
        ("* * * * * * *", "needs five fields"),
        ("@reboot", "needs five fields"),
        ("60 * * * *", "Bad minute"),
        ("60 * * * * *", "Bad second"),
        ("* 24 * * *", "Bad hour"),
        ("? * * * *", "Bad minute"),
        ("* * * * 8", "Bad day-of-week"),
        ("*/0 * * * *", "Bad minute"),
        ("*/70 * * * *", "the field of the minute goes from 0 to 59 and has no step of 70"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6 *", "never comes"),
        ("0 0 0 30 2 *", "never comes"),
        ("0 0 32 2 *", "Bad day-of-month"),
        ("0 0 30 13 *", "Bad month"),
        ("0 0 30 2 8", "Bad day-of-week"),
        ("5-1 * * * *", "Bad minute"),
        ("é * * * *", "Bad minute"),
    ],
)
def test_a_wrong_expression_is_refused_with_its_place_and_fault(expression: str, fault: str) -> None:
    with pytest.raises(Invalid) as refused:
        parsed({"cron": expression})

    assert str(refused.value).startswith(f"schedules[2].cron {expression!r}: ")
    assert fault in str(refused.value)


def test_a_very_long_expression_is_refused_without_repeating_it() -> None:
    with pytest.raises(Invalid, match=r"^schedules\[2\]\.cron has 5009 characters; at most 4096 are allowed$"):
        parsed({"cron": "1" * 5_000 + " * * * * "})
