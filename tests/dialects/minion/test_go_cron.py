"""Schedules as the cron library of Go programs writes them. What a field allows, and how two days go together, is that library's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import coming_ticks
from coal_mine.domain.schedule import Schedule, parse_schedule
from coal_mine.web.dialects.go_cron import schedule_json

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday


def schedule(text: str) -> Schedule:
    return parse_schedule(schedule_json(text), field="schedule", seed="", now=MIDNIGHT)


def ticks(text: str, count: int = 4) -> list[str]:
    """After midnight, in UTC."""
    return [f"{tick:%m-%d %H:%M}" for tick in coming_ticks([schedule(text)], MIDNIGHT, count)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * ? *", ["01-01 00:01", "01-01 00:02", "01-01 00:03", "01-01 00:04"]),
        ("? ? ? ? ?", ["01-01 00:01", "01-01 00:02", "01-01 00:03", "01-01 00:04"]),
        ("  */20   *  *  *  *  ", ["01-01 00:20", "01-01 00:40", "01-01 01:00", "01-01 01:20"]),
        ("?/20 * * * *", ["01-01 00:20", "01-01 00:40", "01-01 01:00", "01-01 01:20"]),
        ("50/5 0 * * *", ["01-01 00:50", "01-01 00:55", "01-02 00:50", "01-02 00:55"]),
        ("10-20/5 3 * * *", ["01-01 03:10", "01-01 03:15", "01-01 03:20", "01-02 03:10"]),
        ("*/90 * * * *", ["01-01 01:00", "01-01 02:00", "01-01 03:00", "01-01 04:00"]),
        ("0 0 1 JAN-mar ?", ["02-01 00:00", "03-01 00:00", "01-01 00:00", "02-01 00:00"]),
        ("0 0 * * fri-SAT", ["01-02 00:00", "01-03 00:00", "01-09 00:00", "01-10 00:00"]),
        ("0 0 * * 5/1", ["01-02 00:00", "01-03 00:00", "01-09 00:00", "01-10 00:00"]),
        ("0 0 * * 0", ["01-04 00:00", "01-11 00:00", "01-18 00:00", "01-25 00:00"]),
        ("5,10 1,2 * * *", ["01-01 01:05", "01-01 01:10", "01-01 02:05", "01-01 02:10"]),
        ("@hourly", ["01-01 01:00", "01-01 02:00", "01-01 03:00", "01-01 04:00"]),
        ("@daily", ["01-02 00:00", "01-03 00:00", "01-04 00:00", "01-05 00:00"]),
        ("@midnight", ["01-02 00:00", "01-03 00:00", "01-04 00:00", "01-05 00:00"]),
        ("@weekly", ["01-04 00:00", "01-11 00:00", "01-18 00:00", "01-25 00:00"]),
        ("@monthly", ["02-01 00:00", "03-01 00:00", "04-01 00:00", "05-01 00:00"]),
        ("@yearly", ["01-01 00:00"] * 4),
        ("@annually", ["01-01 00:00"] * 4),
        ("@every 90m", ["01-01 01:30", "01-01 03:00", "01-01 04:30", "01-01 06:00"]),
    ],
)
def test_a_schedule_ticks_as_it_says(text: str, expected: list[str]) -> None:
    assert ticks(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 13 * fri", ["01-02 00:00", "01-09 00:00", "01-13 00:00", "01-16 00:00"]),
        ("0 0 */13 * fri", ["02-27 00:00", "03-27 00:00", "05-01 00:00", "08-14 00:00"]),
        ("0 0 27,*/13 * fri", ["02-27 00:00", "03-27 00:00", "05-01 00:00", "08-14 00:00"]),
        ("0 0 1-31 * fri", ["01-02 00:00", "01-03 00:00", "01-04 00:00", "01-05 00:00"]),
    ],
    ids=["either of two", "both when one has a star", "also in a list", "but not when a range says the same"],
)
def test_of_two_days_either_is_enough_unless_one_of_them_has_a_star(text: str, expected: list[str]) -> None:
    assert ticks(text) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("@every 1h30m", 5_400), ("@every 90s", 90), ("@every 1.5h", 5_400), ("@every 1m0.9s", 60), ("@every 500ms", 1), ("@every 1ns", 1),
        ("@every 2000000µs", 2), ("@every +5m", 300), ("@every   1m", 60),
    ],
)  # fmt: skip
def test_an_interval_is_whole_seconds_and_one_at_least(text: str, seconds: int) -> None:
    first, second = coming_ticks([schedule(text)], MIDNIGHT, 2)

    assert (first - MIDNIGHT, second - first) == (timedelta(seconds=seconds),) * 2


@pytest.mark.parametrize(
    "text",
    [
        "", "*", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *", "* * * 13 *", "* * * * 7",
        "* * * january *", "* * * * monday", "mon * * * *", "5-1 * * * *", "*/0 * * * *", "*/ * * * *", "1/2/3 * * * *", "1-2-3 * * * *",
        "?-5 * * * *", "-1 * * * *", ", * * * *", "1, * * * *", "* * L * *", "* * * * 5#2", "* * 15W * *", "H * * * *", "٣ * * * *",
        "TZ=UTC * * * * *", "CRON_TZ=UTC 0 0 * * *",
        "@", "@reboot", "@Daily", "@daily ", "@every", "@every 5", "@every 5x", "@every -5m", "@every 0s", "@every 1h 30m", "@every 1..5s",
        "@every ٣s", "@every 9999999h", "@every 1d",
    ],
)  # fmt: skip
def test_anything_else_is_no_schedule(text: str) -> None:
    with pytest.raises(Invalid):
        schedule(text)


@pytest.mark.parametrize("value", ["x" * 10_000, "1," * 5_000 + "1 * * * *"])
def test_a_text_without_end_is_no_schedule_either(value: str) -> None:
    with pytest.raises(Invalid):
        schedule(value)
