"""Lists of runs: filters and pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.job_calls import JobCalls


@pytest.fixture(scope="module")
def job(jobs: JobCalls) -> Any:
    """With three runs, of which the second has failed."""
    job = jobs.created(command="exit $STATUS", parameters=[{"name": "STATUS", "default": "0"}])
    for status in ("0", "1", "0"):
        jobs.run(job, parameters={"STATUS": status})
    return job


def ids(answer: Any) -> list[str]:
    return [run["id"] for run in answer["runs"]]


def test_the_newest_come_first(jobs: JobCalls, job: Any) -> None:
    listed = jobs.call("GET", "/runs", job=job["id"]).json()["runs"]

    assert [run["state"] for run in listed] == ["done", "failed", "done"]
    assert [run["scheduled_at"] for run in listed] == sorted((run["scheduled_at"] for run in listed), reverse=True)


def test_the_runs_of_one_job_have_a_place_of_their_own(jobs: JobCalls, job: Any) -> None:
    assert jobs.call("GET", f"/jobs/{job['id']}/runs").json() == jobs.call("GET", "/runs", job=job["id"]).json()


@pytest.mark.parametrize(("states", "count"), [("failed", 1), ("failed,done", 3), ("queued", 0)])
def test_states_may_be_several(jobs: JobCalls, job: Any, states: str, count: int) -> None:
    assert len(jobs.call("GET", "/runs", job=job["id"], state=states).json()["runs"]) == count


def test_since_includes_and_until_excludes_their_moment(jobs: JobCalls, job: Any) -> None:
    middle = jobs.call("GET", "/runs", job=job["id"], state="failed").json()["runs"][0]
    since = jobs.call("GET", "/runs", job=job["id"], since=middle["scheduled_at"]).json()
    until = jobs.call("GET", "/runs", job=job["id"], until=middle["scheduled_at"]).json()

    assert (len(since["runs"]), since["runs"][-1]["id"], len(until["runs"])) == (2, middle["id"], 1)


def test_a_node_has_its_runs(jobs: JobCalls, job: Any) -> None:
    node = jobs.call("GET", "/nodes").json()["nodes"][0]["name"]

    assert len(jobs.call("GET", "/runs", job=job["id"], node=node).json()["runs"]) == 3
    assert jobs.call("GET", "/runs", job=job["id"], node="other").json()["runs"] == []


def test_pages_follow_each_other_and_end(jobs: JobCalls, job: Any) -> None:
    everything = ids(jobs.call("GET", "/runs", job=job["id"]).json())
    first = jobs.call("GET", "/runs", job=job["id"], limit=2).json()
    second = jobs.call("GET", "/runs", job=job["id"], limit=2, before=first["next"]).json()

    assert (ids(first) + ids(second), second["next"]) == (everything, None)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"state": "runing"}, "state 'runing' is none of queued, "),
        ({"before": "x"}, "before is not the cursor of a page"),
        ({"before": ""}, "before is not the cursor of a page"),
        ({"since": "yesterday"}, "since 'yesterday' is not a time such as 2026-11-22T10:00:00Z"),
        ({"since": "2026-13-01"}, "since '2026-13-01' is not a time"),
        ({"limit": "-1"}, "limit '-1' is not a whole number from 1 to 1000"),
    ],
)
def test_a_wrong_parameter_is_named(jobs: JobCalls, query: dict[str, str], error: str) -> None:
    status, text = jobs.error("GET", "/runs", **query)

    assert (status, text[: len(error)]) == (400, error)


@pytest.mark.parametrize("since", ["2026-11-22", "2026-11-22T10:00:00", "2026-11-22T10:00:00.5Z", "2026-11-22T10:00:00+01:00"])
def test_times_are_taken_in_each_usual_form(jobs: JobCalls, job: Any, since: str) -> None:
    assert len(jobs.call("GET", "/runs", job=job["id"], since=since).json()["runs"]) == 3


def test_a_plus_sign_that_became_a_blank_is_understood(jobs: JobCalls, job: Any) -> None:
    answer = jobs.call("GET", f"/runs?job={job['id']}&since=2026-11-22T10:00:00+01:00")

    assert len(answer.json()["runs"]) == 3
