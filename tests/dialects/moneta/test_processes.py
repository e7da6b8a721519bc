"""Executing tasks and killing processes, and the states of nodes: as Moneta documents it and as its web client does it, on both stores."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.dialects.moneta.client import Moneta
from tests.support.waiting import until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
# Pools of the servers of this file, and of the one that many files share.
HERE = {"mode": "any", "pools": ["here", "default"]}
# A time limit would end it as well, should a test leave it behind.
SLEEPS: dict[str, Any] = {**HERE, "command": "exec sleep 600", "coal_mine": {"kill_wait": 0, "timeout": 300}}


@pytest.fixture(scope="module")
def either(either: Moneta) -> Moneta:
    return either.joined()


@pytest.fixture(scope="module")
def moneta(moneta: Moneta) -> Moneta:
    return moneta.joined()


def executed(moneta: Moneta, task_id: str, **query: Any) -> Any:
    answer = moneta.call("EXECUTE", f"/tasks/{task_id}", **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def processes(moneta: Moneta, task_id: str) -> Any:
    return moneta.get(f"/tasks/{task_id}/processes")


def states(moneta: Moneta, task_id: str) -> list[str]:
    return sorted(run["state"] for run in moneta.native("GET", f"/jobs/{task_id}/runs")["runs"])


def ended(moneta: Moneta, task_id: str) -> list[str]:
    """The states of all its runs, when all have ended."""

    def look() -> list[str] | None:
        found = states(moneta, task_id)
        return found if not {"queued", "claimed", "running"} & set(found) else None

    found = until("the end of all runs", look)
    assert found is not None
    return found


@contextmanager
def sleeping(moneta: Moneta, **task: Any) -> Iterator[tuple[str, str]]:
    """A task and its process, which is under way, and ends with the block."""
    task_id = moneta.created(**SLEEPS | task)
    (process,) = executed(moneta, task_id)["processes"]
    until("the process", lambda: states(moneta, task_id) == ["running"])
    try:
        yield task_id, process
    finally:
        for each in processes(moneta, task_id):
            moneta.call("KILL", f"/processes/{each}")
        ended(moneta, task_id)


def test_an_executed_task_runs(either: Moneta) -> None:
    task_id = either.created(**HERE)
    executed(either, task_id)

    assert ended(either, task_id) == ["done"]


@pytest.mark.parametrize(("method", "ending"), [("EXECUTE", ""), ("POST", "/execute")])
def test_who_executes_a_task_is_told_the_task_and_its_processes_and_runs(either: Moneta, method: str, ending: str) -> None:
    task_id = either.created(**HERE)
    answer = either.call(method, f"/tasks/{task_id}{ending}")
    (run,) = either.native("GET", f"/jobs/{task_id}/runs")["runs"]
    told = answer.json()

    assert answer.status_code == 200
    assert told == {"id": task_id, "executed": True, "processes": told["processes"], "runs": [run["id"]]}
    assert re.fullmatch("[0-9a-z]+", told["processes"][0])


def test_in_mode_all_each_node_has_a_process(moneta: Moneta) -> None:
    task_id = moneta.created(mode="all", pools=["default"])
    told = executed(moneta, task_id)

    ended(moneta, task_id)
    nodes = [run["node"] for run in moneta.native("GET", f"/jobs/{task_id}/runs")["runs"]]

    assert nodes == moneta.get("/cluster/pools")["default"]
    assert len(told["processes"]) == len(nodes)


def test_a_disabled_task_can_be_executed(moneta: Moneta) -> None:
    task_id = moneta.created(**HERE, enabled=False)
    executed(moneta, task_id)

    assert ended(moneta, task_id) == ["done"]


@pytest.mark.parametrize(("method", "ending"), [("EXECUTE", ""), ("POST", "/execute")])
def test_a_task_that_does_not_exist_is_not_executed(either: Moneta, method: str, ending: str) -> None:
    answer = either.call(method, f"/tasks/{uuid.uuid4().hex}{ending}")

    assert (answer.status_code, answer.content) == (404, b"")


def test_a_task_that_no_node_can_run_is_not_executed(either: Moneta) -> None:
    task_id = either.created(pools=["moon"])
    answer = either.call("EXECUTE", f"/tasks/{task_id}")

    assert (answer.status_code, answer.json()) == (503, {"id": task_id, "executed": False, "message": "no node serves pool moon"})
    assert states(either, task_id) == []


def test_while_execution_is_switched_off_no_task_is_executed(either: Moneta) -> None:
    task_id = either.created(**HERE)
    either.native("PUT", "/execution", {"enabled": False})
    try:
        answer = either.call("EXECUTE", f"/tasks/{task_id}", target="local")
        enabled = either.get("/status")["execution_enabled"]
    finally:
        either.native("PUT", "/execution", {"enabled": True})

    assert (answer.status_code, answer.json()["executed"]) == (503, False)
    assert enabled is False


def test_with_the_target_local_a_task_runs_here_whatever_its_pools_are(either: Moneta) -> None:
    task_id = either.created(pools=["moon"])
    told = executed(either, task_id, target="local")

    assert [run.rpartition(".")[2] for run in told["runs"]] == ["anode"]
    assert ended(either, task_id) == ["done"]


def test_an_execution_that_is_asked_for_again_with_its_key_is_the_same(either: Moneta) -> None:
    task_id, header = either.created(**HERE), {"Idempotency-Key": "once"}
    first, second = (either.call("EXECUTE", f"/tasks/{task_id}", headers=header).json() for _ in range(2))

    assert first == second
    assert ended(either, task_id) == ["done"]


@pytest.mark.parametrize("where", [{}, {"target": "local"}])
def test_of_two_executions_with_a_concurrency_of_one_the_second_is_skipped(either: Moneta, where: dict[str, str]) -> None:
    with sleeping(either, concurrency=1) as (task_id, process):
        executed(either, task_id, **where)
        until("the second run", lambda: states(either, task_id) == ["running", "skipped"])

        assert list(processes(either, task_id)) == [process]


def test_of_two_executions_with_a_concurrency_of_one_the_second_waits_where_the_task_says_so(moneta: Moneta) -> None:
    more = {**SLEEPS["coal_mine"], "overlap": {"policy": "queue"}}
    with sleeping(moneta, concurrency=1, coal_mine=more) as (task_id, first):
        (second,) = executed(moneta, task_id)["processes"]
        moneta.call("KILL", f"/processes/{first}")
        until("the second one", lambda: states(moneta, task_id) == ["killed", "running"])

        assert list(processes(moneta, task_id)) == [second]


@pytest.mark.parametrize("force", ["1", "0", ""])
def test_a_forced_execution_runs_however_many_are_under_way(moneta: Moneta, force: str) -> None:
    with sleeping(moneta, concurrency=1) as (task_id, _):
        executed(moneta, task_id, force=force)

        until("two processes", lambda: states(moneta, task_id) == ["running", "running"])


def test_a_forced_execution_takes_nobody_elses_place(moneta: Moneta) -> None:
    task_id = moneta.created(**SLEEPS, concurrency=1)
    forced = executed(moneta, task_id, force=1)["processes"]
    until("the forced one", lambda: states(moneta, task_id) == ["running"])
    (usual,) = executed(moneta, task_id)["processes"]
    until("two processes", lambda: states(moneta, task_id) == ["running", "running"])
    for process in (*forced, usual):
        moneta.call("KILL", f"/processes/{process}")

    assert ended(moneta, task_id) == ["killed", "killed"]


def test_without_concurrency_any_number_run(moneta: Moneta) -> None:
    with sleeping(moneta, concurrency=0) as (task_id, _):
        executed(moneta, task_id)

        until("two processes", lambda: states(moneta, task_id) == ["running", "running"])


def test_processes_are_shown_with_node_task_and_start(either: Moneta) -> None:
    with sleeping(either) as (task_id, process):
        found = processes(either, task_id)

        assert list(found) == [process]
        assert set(found[process]) == {"node", "task", "start_time", "started"}
        assert (found[process]["node"], found[process]["task"]) == ("anode", task_id)
        assert TIME.fullmatch(found[process]["start_time"])


def test_the_node_shows_its_processes_with_the_start_by_both_names(either: Moneta) -> None:
    with sleeping(either) as (task_id, process):
        shown = either.get("/status")["running_processes"]

        assert set(shown[process]) == {"task", "start_time", "started"}
        assert (shown[process]["task"], shown[process]["started"]) == (task_id, shown[process]["start_time"])


def test_processes_of_all_tasks_are_shown(moneta: Moneta) -> None:
    with sleeping(moneta) as (task_id, process):
        assert moneta.get("/running")[process]["task"] == task_id


def test_processes_of_jobs_that_no_path_of_moneta_names_are_not_shown(moneta: Moneta) -> None:
    given = {"name": uuid.uuid4().hex, "namespace": "spinup/space", "pools": ["default"], "command": "exec sleep 600", "timeout": 300}
    job = moneta.native("POST", "/jobs", given | {"kill_wait": 0})["id"]
    (run,) = moneta.native("POST", f"/jobs/{job}/run")["runs"]
    until("the process", lambda: states(moneta, job) == ["running"])
    shown = [*moneta.get("/running").values(), *moneta.get("/status")["running_processes"].values()]
    moneta.native("POST", f"/runs/{run}/kill")

    assert job not in [process["task"] for process in shown]


def test_a_task_says_whether_it_runs(moneta: Moneta) -> None:
    with sleeping(moneta) as (task_id, _):
        assert moneta.get(f"/tasks/{task_id}/running") == {"id": task_id, "running": True}
    assert moneta.get(f"/tasks/{task_id}/running") == {"id": task_id, "running": False}


def test_a_task_that_does_not_exist_does_not_run_and_has_no_processes(moneta: Moneta) -> None:
    assert moneta.get("/tasks/nosuchtask/running") == {"id": "nosuchtask", "running": False}
    assert processes(moneta, "nosuchtask") == {}


@pytest.mark.parametrize(("method", "ending"), [("KILL", ""), ("POST", "/kill")])
def test_a_process_is_killed(either: Moneta, method: str, ending: str) -> None:
    with sleeping(either) as (task_id, process):
        answer = either.call(method, f"/processes/{process}{ending}")

        assert (answer.status_code, answer.json()) == (200, {"id": process, "killed": True})
        assert ended(either, task_id) == ["killed"]


def test_a_process_that_ignores_the_first_signal_is_ended_as_well(moneta: Moneta) -> None:
    with sleeping(moneta, command="trap '' TERM; while :; do sleep 0.1; done", coal_mine={"kill_wait": 0.2}) as (task_id, process):
        moneta.call("KILL", f"/processes/{process}")

        assert ended(moneta, task_id) == ["killed"]


def test_a_process_that_has_ended_is_not_killed(moneta: Moneta) -> None:
    with sleeping(moneta) as (task_id, process):
        moneta.call("KILL", f"/processes/{process}")
        ended(moneta, task_id)
    answer = moneta.call("KILL", f"/processes/{process}")

    assert answer.status_code == 404
    assert (answer.json()["id"], answer.json()["killed"]) == (process, False)


@pytest.mark.parametrize("process", ["b26e5cc2ef3f11e4817b0026b951c045", "mfrgg", "a", "8", "mfrgh", "mfrggzdf" * 200])
def test_what_is_no_process_is_not_killed(moneta: Moneta, process: str) -> None:
    answer = moneta.call("KILL", f"/processes/{process}")

    assert answer.status_code == 404
    assert (answer.json()["id"], answer.json()["killed"]) == (process, False)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tasks/abc/report"),
        ("UPDATE", "/processes/abc"),
        ("GET", "/processes/abc"),
        ("GET", "/tasks/abc/execute"),
        ("KILL", "/processes/ABC"),
    ],
)
def test_what_moneta_keeps_for_itself_or_does_not_know_is_answered_with_405(moneta: Moneta, method: str, path: str) -> None:
    answer = moneta.call(method, path)

    assert (answer.status_code, answer.content) == (405, b"")


@pytest.mark.parametrize(("path", "method"), [("/tasks/abc", "EXECUTE"), ("/processes/abc", "KILL")])
def test_browsers_may_ask_whether_they_may_use_methods_of_moneta(moneta: Moneta, path: str, method: str) -> None:
    answer = moneta.call("OPTIONS", path, headers={"Access-Control-Request-Method": method})

    assert (answer.status_code, answer.content) == (200, b"")
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")


def test_the_status_has_what_is_documented_and_what_the_web_client_shows(either: Moneta) -> None:
    shown = either.get("/status")
    address, running = shown.pop("address"), shown.pop("running_processes")

    assert shown == {
        "name": "anode",
        "pools": ["here"],
        "leader": True,
        "cluster_joined": True,
        "pools_joined": True,
        "contending_for_lead": True,
        "scheduler_running": True,
        "execution_enabled": True,
        "timezone": "Europe/Paris",
    }
    assert address == either.native("GET", "/nodes/anode")["host"]
    assert isinstance(running, dict)


def test_the_status_of_a_named_node_is_the_same_here(either: Moneta) -> None:
    assert either.get("/node/anode/status") == either.get("/status")


def test_a_draining_node_says_that_it_executes_nothing(either: Moneta) -> None:
    either.native("POST", "/nodes/anode/drain")
    try:
        shown = either.get("/status")
    finally:
        either.native("POST", "/nodes/anode/undrain")

    assert (shown["execution_enabled"], shown["scheduler_running"]) == (False, True)


def test_the_cluster_shows_its_nodes_and_the_first_as_leader(either: Moneta) -> None:
    assert either.get("/cluster/status") == {
        "nodes": {"anode": {"address": either.native("GET", "/nodes/anode")["host"], "pools": ["here"]}},
        "leader": "anode",
    }


def test_the_cluster_shows_the_members_of_its_pools(either: Moneta) -> None:
    assert either.get("/cluster/pools") == {"here": ["anode"]}
