"""Nodes, pools, and the switch for all execution."""

from __future__ import annotations

from typing import Any

import pytest

from coal_mine.config import default_node
from tests.api.job_calls import JobCalls
from tests.support.waiting import until


@pytest.fixture
def name() -> str:
    """Of the node that the shared server is."""
    return default_node().name


def node(jobs: JobCalls, name: str) -> Any:
    return jobs.call("GET", f"/nodes/{name}").json()


def test_the_server_itself_is_a_node(jobs: JobCalls, name: str) -> None:
    found = node(jobs, name)

    assert (found["alive"], found["draining"], found["pools"], found["host"] != "") == (True, False, ["default"], True)


def test_all_nodes_are_listed(jobs: JobCalls, name: str) -> None:
    assert [found["name"] for found in jobs.call("GET", "/nodes").json()["nodes"]] == [name]


def test_a_drained_node_takes_no_runs_until_it_is_undrained(jobs: JobCalls, name: str) -> None:
    assert jobs.call("POST", f"/nodes/{name}/drain").json()["draining"] is True
    until("the node to know", lambda: node(jobs, name)["draining"])

    assert jobs.call("POST", f"/nodes/{name}/undrain").json()["draining"] is False
    assert jobs.run(jobs.created())["state"] == "done"


def test_a_living_node_cannot_be_removed(jobs: JobCalls, name: str) -> None:
    assert jobs.error("DELETE", f"/nodes/{name}") == (409, f"node {name} is alive: drain it, wait until it runs nothing, and stop it first")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", "/drain"), ("POST", "/undrain")])
def test_an_unknown_node_is_answered_with_404(jobs: JobCalls, method: str, path: str) -> None:
    assert jobs.error(method, f"/nodes/nowhere{path}") == (404, "there is no node named 'nowhere'")


def test_a_pool_has_its_nodes(jobs: JobCalls, name: str) -> None:
    assert {"name": "default", "nodes": [name], "paused": False} in jobs.call("GET", "/pools").json()["pools"]


def test_a_paused_pool_is_listed_until_it_is_unpaused(jobs: JobCalls) -> None:
    paused = jobs.call("POST", "/pools/elsewhere/pause").json()
    listed = jobs.call("GET", "/pools").json()["pools"]
    jobs.call("POST", "/pools/elsewhere/unpause")

    assert paused["paused"]
    assert {"name": "elsewhere", "nodes": [], "paused": True} in listed
    assert "elsewhere" not in [pool["name"] for pool in jobs.call("GET", "/pools").json()["pools"]]


def warnings_of_pausing(jobs: JobCalls, pool: str) -> Any:
    answer = jobs.call("POST", f"/pools/{pool}/pause").json()
    jobs.call("POST", f"/pools/{pool}/unpause")
    return answer["warnings"]


def test_pausing_a_pool_that_no_node_serves_and_no_job_names_warns(jobs: JobCalls) -> None:
    assert warnings_of_pausing(jobs, "defualt") == ["no node serves the pool defualt and no job names it"]


def test_pausing_a_pool_that_a_node_serves_does_not_warn(jobs: JobCalls, name: str) -> None:
    assert warnings_of_pausing(jobs, "default") == []


def test_pausing_a_pool_that_only_a_job_names_does_not_warn(jobs: JobCalls) -> None:
    jobs.created(pools=["far"])

    assert warnings_of_pausing(jobs, "far") == []


def test_what_is_no_pools_name_is_refused(jobs: JobCalls) -> None:
    assert jobs.error("POST", "/pools/a%20b/pause")[0] == 400


def test_execution_is_switched_off_and_on(jobs: JobCalls) -> None:
    try:
        assert jobs.call("PUT", "/execution", {"enabled": False}).json() == {"enabled": False}
        assert jobs.call("GET", "/execution").json() == {"enabled": False}
    finally:
        assert jobs.call("PUT", "/execution", {"enabled": True}).json() == {"enabled": True}


@pytest.mark.parametrize("body", [{}, {"enabled": None}, {"enabled": "yes"}, {"enabled": True, "more": 1}])
def test_execution_needs_a_clear_word(jobs: JobCalls, body: Any) -> None:
    assert jobs.error("PUT", "/execution", body)[0] == 400
