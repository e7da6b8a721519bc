"""Running jobs now, on the node that the server is itself."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.api.job_calls import JobCalls
from tests.support.waiting import until


@pytest.fixture(scope="module")
def greeter(jobs: JobCalls) -> Any:
    """Its parameter has a default and two values."""
    given = [{"name": "WHOM", "default": "you", "values": ["you", "me"]}, {"name": "HOW", "required": True}]
    return jobs.created(name="Greeter", command="echo $HOW $WHOM", parameters=given)


@contextmanager
def sleeping(jobs: JobCalls, **fields: Any) -> Iterator[tuple[Any, Any]]:
    """A job with a run that is under way, and ends with the block."""
    job = jobs.created(**{"name": "Sleeper", "command": "sleep 1000", "kill_wait": 0} | fields)
    run = jobs.call("POST", f"/jobs/{job['id']}/run").json()
    try:
        yield job, jobs.reached(run["id"], "running")
    finally:
        jobs.call("POST", f"/runs/{run['id']}/kill")
        jobs.ended(run["id"])


def test_a_run_is_answered_with_202_and_its_place(jobs: JobCalls) -> None:
    answer = jobs.call("POST", f"/jobs/{jobs.created()['id']}/run")
    run = answer.json()

    assert (answer.status_code, answer.headers["Location"]) == (202, f"/coal-mine/v1/runs/{run['id']}")
    assert (run["origin"], run["runs"]) == ("manual", [run["id"]])


def test_a_run_that_is_done_says_how_it_went(jobs: JobCalls) -> None:
    job = jobs.created(command="exit 3")
    run = jobs.run(job)

    assert (run["state"], run["reason"], run["exit_code"], run["end"]) == ("failed", "exit status 3", 3, "exited")
    assert (run["job"], run["job_name"], run["command"], run["attempt"]) == (job["id"], job["name"], "exit 3", 1)
    assert run["scheduled_at"] <= run["started_at"] <= run["ended_at"]


def test_parameters_reach_the_command_and_stand_in_the_run(jobs: JobCalls, greeter: Any) -> None:
    run = jobs.run(greeter, parameters={"HOW": "Hello"})

    assert run["parameters"] == {"WHOM": "you", "HOW": "Hello"}
    assert jobs.call("GET", f"/runs/{run['id']}/output").text == "Hello you\n"


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({}, "parameters.HOW is missing"),
        ({"HOW": "Hi", "WHOM": "them"}, "parameters.WHOM is 'them', which is none of you, me"),
        ({"HOW": "Hi", "WHEN": "now"}, "unknown parameter 'WHEN'; known are WHOM, HOW"),
        ({"HOW": 1}, "parameters.HOW is a number, not a text"),
        ({"HOW": "a\u0000b"}, "parameters.HOW contains the control character U+0000 at position 2"),
    ],
)
def test_wrong_parameters_are_named(jobs: JobCalls, greeter: Any, parameters: Any, error: str) -> None:
    assert jobs.error("POST", f"/jobs/{greeter['id']}/run", {"parameters": parameters}) == (400, error)


def test_a_disabled_job_can_be_run_by_hand(jobs: JobCalls) -> None:
    assert jobs.run(jobs.created(enabled=False))["state"] == "done"


def test_two_requests_with_one_key_are_one_run(jobs: JobCalls) -> None:
    job, key = jobs.created(), uuid.uuid4().hex
    first = jobs.run(job, key=key)
    second = jobs.call("POST", f"/jobs/{job['id']}/run", headers={"Idempotency-Key": key}).json()

    assert (second["id"], second["state"]) == (first["id"], "done")


def test_a_key_is_refused_with_other_parameters_than_before(jobs: JobCalls) -> None:
    job, key = jobs.created(parameters=[{"name": "PLACE"}]), uuid.uuid4().hex
    jobs.run(job, key=key, parameters={"PLACE": "here"})
    status, error = jobs.error("POST", f"/jobs/{job['id']}/run", {"key": key, "parameters": {"PLACE": "there"}})

    assert (status, error) == (409, f"the key {key!r} was used before, with other parameters or another command: take a new one")


def test_two_requests_with_different_keys_are_two_runs(jobs: JobCalls) -> None:
    job = jobs.created()

    assert jobs.run(job, key="a")["id"] != jobs.run(job, key="b")["id"]


def test_in_mode_all_each_node_has_a_run(jobs: JobCalls) -> None:
    nodes = [node["name"] for node in jobs.call("GET", "/nodes").json()["nodes"]]
    started = jobs.call("POST", f"/jobs/{jobs.created(mode='all')['id']}/run").json()

    assert [jobs.ended(run)["node"] for run in started["runs"]] == nodes


def test_a_run_by_hand_obeys_the_overlap_policy(jobs: JobCalls) -> None:
    with sleeping(jobs) as (job, _):
        assert jobs.run(job)["state"] == "skipped"


def test_force_runs_whatever_the_overlap_policy_says(jobs: JobCalls) -> None:
    with sleeping(jobs) as (job, _):
        forced = jobs.call("POST", f"/jobs/{job['id']}/run", {"force": True}).json()
        jobs.reached(forced["id"], "running")
        jobs.call("POST", f"/runs/{forced['id']}/kill")

        assert jobs.ended(forced["id"])["state"] == "killed"


def test_a_run_under_way_is_killed(jobs: JobCalls) -> None:
    with sleeping(jobs) as (_, run):
        answer = jobs.call("POST", f"/runs/{run['id']}/kill")

        assert answer.status_code == 202
        assert jobs.ended(run["id"])["state"] == "killed"


def test_a_run_that_waits_is_killed_at_once(jobs: JobCalls) -> None:
    run = jobs.call("POST", f"/jobs/{jobs.created(pools=['moon'])['id']}/run").json()
    killed = jobs.call("POST", f"/runs/{run['id']}/kill").json()

    assert (killed["state"], killed["reason"]) == ("killed", "killed before it was started")


def test_a_run_that_has_ended_cannot_be_killed(jobs: JobCalls) -> None:
    run = jobs.run(jobs.created())

    assert jobs.error("POST", f"/runs/{run['id']}/kill") == (409, f"run {run['id']} has ended already: done")


@pytest.mark.parametrize("name", ["USR1", "sigusr1", 10], ids=str)
def test_a_signal_reaches_the_command(jobs: JobCalls, name: str | int) -> None:
    with sleeping(jobs, command="trap 'echo caught; exit 5' USR1; echo ready; while :; do sleep 0.05; done") as (_, run):
        wait_for_output(jobs, run["id"], "ready\n")
        answer = jobs.call("POST", f"/runs/{run['id']}/signal", {"signal": name})

        assert answer.status_code == 202
        assert jobs.ended(run["id"])["exit_code"] == 5


def wait_for_output(jobs: JobCalls, run_id: str, expected: str) -> None:
    until(f"{expected!r} from the run", lambda: jobs.call("GET", f"/runs/{run_id}/output").text == expected)


@pytest.mark.parametrize("name", ["", "USR9", 0, 65, "0x1", True, None])
def test_what_is_no_signal_is_refused(jobs: JobCalls, name: object) -> None:
    assert jobs.error("POST", "/runs/abc/signal", {"signal": name})[0] == 400


def test_only_a_running_run_takes_signals(jobs: JobCalls) -> None:
    run = jobs.run(jobs.created())

    assert jobs.error("POST", f"/runs/{run['id']}/signal", {"signal": "USR1"}) == (409, f"run {run['id']} is not running: done")


@pytest.mark.parametrize("path", ["/runs/abc", "/runs/abc/output"])
def test_an_unknown_run_is_answered_with_404(jobs: JobCalls, path: str) -> None:
    assert jobs.error("GET", path) == (404, "there is no run with the id 'abc'")


def test_an_unknown_job_cannot_be_run(jobs: JobCalls) -> None:
    assert jobs.error("POST", "/jobs/abc/run") == (404, "there is no job with the id 'abc'")
