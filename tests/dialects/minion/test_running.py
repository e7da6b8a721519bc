"""What becomes of a job that a client runs, or that its schedule does."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.dialects.minion.client import ENDED, MinionClient
from tests.support.cloud import Cloud
from tests.support.waiting import until


def run(minion: MinionClient, job: Any) -> Any:
    """The run of a job that a client runs."""
    answer = minion.call("PATCH", f"/jobs/{job['group']}/{job['id']}")
    assert (answer.status_code, answer.text) == (202, "OK")
    return minion.ended_run(job)


def scheduled_run(minion: MinionClient, job: Any) -> Any:
    """The first that has ended of those that the schedule wanted."""

    def look() -> Any:
        runs = minion.native("GET", f"/jobs/{minion.native_id(job)}/runs")["runs"]
        return next((run for run in runs if run["origin"] != "manual" and run["state"] in ENDED), None)

    return until("a run of the schedule", look)


def test_jobs_that_are_run_as_soon_as_they_are_created_are_all_run_once(either: MinionClient, group: str) -> None:
    jobs = []
    for _ in range(20):
        job = either.created(group)
        assert either.call("PATCH", f"/jobs/{group}/{job['id']}").status_code == 202
        jobs.append(job)

    assert [either.ended_run(job)["state"] for job in jobs] == ["done"] * 20


def test_a_dummys_output_is_the_template_with_the_account(either: MinionClient) -> None:
    assert either.output(run(either, either.created())) == "Hello, spinup!"


@pytest.mark.parametrize("action", ["start", "stop", "reboot"])
def test_an_instance_job_asks_the_endpoint_for_its_action(minion: MinionClient, cloud: Cloud, action: str) -> None:
    instance = f"i-{uuid.uuid4().hex[:16]}"
    details = {"runner": "instanceRunner", "instance_id": instance, "instance_action": action}

    assert run(minion, minion.created(details=details))["state"] == "done"

    (asked,) = (each for each in cloud.asked if instance in each.target)
    assert (asked.target, json.loads(asked.body)) == (f"/v1/ec2/spinup/instances/{instance}/power", {"state": action})


def test_a_disabled_job_can_be_run(either: MinionClient) -> None:
    assert run(either, either.created(enabled=False))["state"] == "done"


def test_a_job_without_a_schedule_can_be_run(either: MinionClient) -> None:
    assert run(either, either.created(schedule_expression=""))["state"] == "done"


def test_a_job_runs_by_its_schedule(either: MinionClient, group: str) -> None:
    assert scheduled_run(either, either.created(group, schedule_expression="@every 1s"))["state"] == "done"

    either.call("DELETE", f"/jobs/{group}")


@pytest.mark.parametrize(
    ("details", "fault"),
    [
        (None, "runner not found in job"),
        ({}, "runner not found in job"),
        ({"runner": ""}, "runner not found in job"),
        ({"runner": "unheardOf"}, "runner not found in job"),
        ({"runner": "no name\n'$(id)'"}, "runner not found in job"),
        ({"runner": "otherRunner"}, "runner not found for account"),
    ],
)
def test_a_job_whose_runner_is_not_the_accounts_to_use_is_not_run(minion: MinionClient, details: Any, fault: str) -> None:
    job = minion.created(details=details)

    answer = minion.call("PATCH", f"/jobs/{job['group']}/{job['id']}")

    assert (answer.status_code, answer.text.partition(":")[0]) == (400, fault)
    assert minion.runs(job) == []


@pytest.mark.parametrize(
    ("details", "fault"),
    [
        ({"runner": "otherRunner"}, "account spinup may not use the runner 'otherRunner'\n"),
        (None, "the job's details name no runner\n"),
    ],
)
def test_each_run_of_such_a_jobs_schedule_fails_and_says_why(minion: MinionClient, group: str, details: Any, fault: str) -> None:
    job = minion.created(group, details=details)
    # It would be tried three times before it fails.
    minion.native("PATCH", f"/jobs/{minion.native_id(job)}", {"retries": 0, "schedules": [{"every": 1}]})

    failed = scheduled_run(minion, job)
    minion.call("DELETE", f"/jobs/{group}")

    assert (failed["state"], minion.output(failed)) == ("failed", fault)


def test_a_failed_run_is_tried_twice_more_five_seconds_apart(minion: MinionClient) -> None:
    job = minion.native_job(minion.created())

    assert job["retries"] == {"max": 2, "wait": 5, "factor": 1, "longest": 5}


def test_runs_of_a_job_run_side_by_side(minion: MinionClient) -> None:
    job = minion.native_job(minion.created())

    assert (job["overlap"]["policy"], job["overlap"]["limit"]) == ("allow", None)


def test_what_was_missed_is_not_run_later(minion: MinionClient) -> None:
    assert minion.native_job(minion.created())["catch_up"]["policy"] == "none"


def test_two_calls_are_two_runs(minion: MinionClient) -> None:
    job = minion.created()

    for _ in range(2):
        minion.call("PATCH", f"/jobs/{job['group']}/{job['id']}")

    assert len(minion.runs(job)) == 2
