"""H: a time that follows from the job, so that many jobs do not start at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from coal_mine.domain.errors import Invalid
from coal_mine.domain.schedule import ticks_between
from tests.domain.samples import HOUR
from tests.domain.ticking import instant, parsed, ticks

DAY = instant("2026-11-22")
SEEDS = [f"job{number}" for number in range(600)]


def minute_of(expression: str, seed: str) -> int:
    tick = parsed({"cron": expression}, seed=seed).tick_after(DAY)
    assert tick is not None
    return tick.minute


def test_many_jobs_use_all_minutes_of_the_hour() -> None:
    assert {minute_of("H * * * *", seed) for seed in SEEDS} == set(range(60))


def test_a_job_keeps_its_times_from_version_to_version() -> None:
    assert ticks({"cron": "H H * * *"}, "2026-11-22", 2) == ["22 12:56 +0000", "23 12:56 +0000"]


def test_a_job_has_the_same_times_in_every_process() -> None:
    script = "from tests.domain.ticking import ticks; print(ticks({'cron': 'H H H * *'}, '2026-11-22', 1))"
    answers = {
        subprocess.run([sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True).stdout
        for seed in ("1", "2")
    }

    assert answers == {f"{ticks({'cron': 'H H H * *'}, '2026-11-22', 1)}\n"}


def test_a_range_limits_the_values() -> None:
    assert {minute_of("H(10-19) * * * *", seed) for seed in SEEDS} == set(range(10, 20))


def test_a_step_begins_at_a_time_of_the_job() -> None:
    expected = {(start, start + 15, start + 30, start + 45) for start in range(15)}
    found = {
        tuple(
            tick.minute
            for tick in ticks_between([parsed({"cron": "H/15 * * * *"}, seed=seed)], DAY + HOUR - HOUR / 3600, DAY + 2 * HOUR, 4)
        )
        for seed in SEEDS
    }

    assert found == expected


def test_a_step_stays_in_its_range() -> None:
    schedule = parsed({"cron": "H(0-29)/10 * * * *"})
    minutes = [tick.minute for tick in ticks_between([schedule], DAY + HOUR, DAY + 2 * HOUR, 100)]

    assert minutes == [minutes[0], minutes[0] + 10, minutes[0] + 20]


def test_each_month_has_the_day() -> None:
    days = {tick.day for seed in SEEDS if (tick := parsed({"cron": "0 0 H * *"}, seed=seed).tick_after(DAY))}

    assert days == set(range(1, 29))


def test_hour_and_minute_do_not_depend_on_each_other() -> None:
    times = {(tick.hour, tick.minute) for seed in SEEDS if (tick := parsed({"cron": "H H * * *"}, seed=seed).tick_after(DAY))}

    assert len(times) > 450


def test_h_can_stand_in_a_list() -> None:
    assert {minute_of("H(50-59),5 * * * *", seed) for seed in SEEDS} == {5}


def test_the_seed_is_kept_with_the_schedule() -> None:
    assert parsed({"cron": "H * * * *"}, seed="a").as_json() == {"cron": "H * * * *", "timezone": "UTC", "seed": "a"}


def test_a_kept_seed_counts_and_not_the_jobs_id() -> None:
    schedule = parsed({"cron": "H * * * *"}, seed="a")

    assert parsed(schedule.as_json(), seed="b") == schedule


def test_a_schedule_without_h_has_no_seed() -> None:
    assert parsed({"cron": "@daily"}, seed="a") == parsed({"cron": "@daily", "seed": "b"}, seed="c")


@pytest.mark.parametrize("item", ["H(9-3)", "H(0-60)", "H/0", "H/70", "H(1-5)/70"])
def test_what_the_field_does_not_have_is_refused(item: str) -> None:
    with pytest.raises(Invalid, match=r"^schedules\[2\]\.cron .*the field of the minute.* goes from 0 to 59"):
        parsed({"cron": f"{item} * * * *"})


@pytest.mark.parametrize("item", ["H(5)", "H()", "H-5", "HH", "H(1-5", "H//5"])
def test_another_form_is_refused(item: str) -> None:
    with pytest.raises(Invalid, match="Bad minute"):
        parsed({"cron": f"{item} * * * *"})
