"""Two nodes: each is told of, and asked for, through the other one's server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dialects.moneta.client import Moneta
from tests.support.mongod import Mongod
from tests.support.nodes import NodeProcess
from tests.support.server import CoalMine
from tests.support.waiting import until

KEY = "right-key-3141"
SLEEPS = {"mode": "any", "pools": ["web"], "command": "exec sleep 600", "coal_mine": {"kill_wait": 0, "timeout": 300}}


@pytest.fixture(scope="module")
def cluster(mongod: Mongod, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moneta]:
    """The server is the node `alpha`; `beta` is a process by itself."""
    place = tmp_path_factory.mktemp("cluster")
    store = f"[mongodb]\nhosts = {mongod.uri}\ndatabase = moneta-{uuid.uuid4().hex}\n[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n"
    with (
        CoalMine(place / "alpha", ini=f"{store}[node]\nname = alpha\npools = default\n") as server,
        NodeProcess(place / "beta", "beta", ini=store, pools="default, web"),
    ):
        moneta = Moneta(server, KEY)
        until("both nodes", lambda: list(moneta.get("/cluster/status")["nodes"]) == ["alpha", "beta"])
        yield moneta


def nodes_of(cluster: Moneta, task_id: str) -> list[str]:
    """Where its runs have run, when all have ended."""

    def look() -> list[Any] | None:
        runs = cluster.native("GET", f"/jobs/{task_id}/runs")["runs"]
        return runs if all(run["ended_at"] for run in runs) else None

    return sorted(run["node"] for run in until("the end of all runs", look) or [])


def test_the_cluster_is_shown_as_it_is_documented(cluster: Moneta) -> None:
    host = cluster.native("GET", "/nodes/alpha")["host"]

    assert cluster.get("/cluster/status") == {
        "nodes": {"alpha": {"address": host, "pools": ["default"]}, "beta": {"address": host, "pools": ["default", "web"]}},
        "leader": "alpha",
    }


def test_pools_are_shown_with_their_members(cluster: Moneta) -> None:
    assert cluster.get("/cluster/pools") == {"default": ["alpha", "beta"], "web": ["beta"]}


def test_each_node_has_a_status_and_only_one_is_the_leader(cluster: Moneta) -> None:
    alpha, beta = (cluster.get(f"/node/{name}/status") for name in ("alpha", "beta"))

    assert (alpha["name"], alpha["pools"], alpha["leader"]) == ("alpha", ["default"], True)
    assert (beta["name"], beta["pools"], beta["leader"], beta["scheduler_running"]) == ("beta", ["default", "web"], False, True)


def test_a_node_that_nobody_knows_is_not_found(cluster: Moneta) -> None:
    answer = cluster.call("GET", "/node/gamma/status")

    assert (answer.status_code, answer.json()) == (404, {"message": "Node not found"})


def test_in_mode_all_a_task_runs_on_each_node_of_its_pools(cluster: Moneta) -> None:
    task_id = cluster.created(mode="all", pools=["default"])
    cluster.call("EXECUTE", f"/tasks/{task_id}")

    assert nodes_of(cluster, task_id) == ["alpha", "beta"]


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_a_task_that_is_executed_locally_on_a_named_node_runs_there_alone(cluster: Moneta, name: str) -> None:
    task_id = cluster.created(mode="all", pools=["default"])
    answer = cluster.call("EXECUTE", f"/node/{name}/tasks/{task_id}", target="local")

    assert answer.json()["executed"] is True
    assert nodes_of(cluster, task_id) == [name]


def test_a_process_on_another_node_is_shown_there_and_can_be_killed_from_here(cluster: Moneta) -> None:
    task_id = cluster.created(**SLEEPS)
    (process,) = cluster.call("EXECUTE", f"/tasks/{task_id}").json()["processes"]
    until("the process", lambda: process in cluster.get("/node/beta/status")["running_processes"])
    shown = {
        "task": cluster.get(f"/tasks/{task_id}/processes")[process]["node"],
        "alpha": process in cluster.get("/node/alpha/status")["running_processes"],
    }
    answer = cluster.call("KILL", f"/processes/{process}")

    assert shown == {"task": "beta", "alpha": False}
    assert (answer.status_code, nodes_of(cluster, task_id)) == (200, ["beta"])


def test_processes_are_killed_by_way_of_any_node(cluster: Moneta) -> None:
    task_id = cluster.created(**SLEEPS)
    (process,) = cluster.call("EXECUTE", f"/tasks/{task_id}").json()["processes"]
    answer = cluster.call("KILL", f"/node/alpha/processes/{process}")

    assert (answer.status_code, answer.json()["killed"]) == (200, True)


def test_a_concurrency_of_one_holds_for_all_nodes_together(cluster: Moneta) -> None:
    task_id = cluster.created(**SLEEPS | {"mode": "all", "pools": ["default"]}, concurrency=1)
    cluster.call("EXECUTE", f"/tasks/{task_id}")

    def states() -> list[str]:
        return sorted(run["state"] for run in cluster.native("GET", f"/jobs/{task_id}/runs")["runs"])

    until("one that runs and one that does not", lambda: states() == ["running", "skipped"])
    (process,) = cluster.get(f"/tasks/{task_id}/processes")
    cluster.call("KILL", f"/processes/{process}")
    until("the end of it", lambda: states() == ["killed", "skipped"])


def test_a_node_that_was_stopped_has_left_the_cluster_and_its_pools(cluster: Moneta, tmp_path_factory: pytest.TempPathFactory) -> None:
    ini = (cluster.server.directory / "coal-mine.ini").read_text().partition("[node]")[0]
    with NodeProcess(tmp_path_factory.mktemp("gamma"), "gamma", ini=ini, pools="brief"):
        until("the third node", lambda: "gamma" in cluster.get("/cluster/status")["nodes"])
    status = cluster.get("/node/gamma/status")

    assert "gamma" not in cluster.get("/cluster/status")["nodes"]
    assert "brief" not in cluster.get("/cluster/pools")
    assert [status[flag] for flag in ("cluster_joined", "pools_joined", "contending_for_lead", "scheduler_running")] == [False] * 4
