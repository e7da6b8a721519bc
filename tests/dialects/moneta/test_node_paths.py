"""/node/<name>/<url>: answered here, as that node, from the store."""

from __future__ import annotations

import uuid

import pytest

from tests.dialects.moneta.client import Moneta


@pytest.fixture
def node(moneta: Moneta) -> str:
    return str(moneta.native("GET", "/nodes")["nodes"][0]["name"])


def test_a_call_to_a_node_is_answered_as_the_call_itself(moneta: Moneta, node: str) -> None:
    task_id = moneta.created(name="Of a node")

    assert moneta.get(f"/node/{node}/tasks/{task_id}") == moneta.get(f"/tasks/{task_id}")


def test_the_query_is_kept(moneta: Moneta, node: str) -> None:
    tag = uuid.uuid4().hex
    task_id = moneta.created(tags=[tag])

    assert list(moneta.get(f"/node/{node}/tasks", tag=tag)) == [task_id]


def test_every_method_goes_through(moneta: Moneta, node: str) -> None:
    path = f"/node/{node}/tasks/{uuid.uuid4().hex}"
    task = {"command": "true"}

    assert [
        moneta.call(*sent).status_code for sent in (("PUT", path, task), ("POST", f"{path}/disable"), ("GET", path), ("DELETE", path))
    ] == [
        201,
        200,
        200,
        200,
    ]


@pytest.mark.parametrize("method", ["EXECUTE", "KILL"])
def test_also_those_that_only_moneta_has(moneta: Moneta, node: str, method: str) -> None:
    below = "tasks" if method == "EXECUTE" else "processes"

    assert moneta.call(method, f"/node/{node}/{below}/none").status_code == 404


def test_an_unknown_node_is_named_as_documented(moneta: Moneta) -> None:
    answer = moneta.call("GET", "/node/nobody/status")

    assert (answer.status_code, answer.json()) == (404, {"message": "Node not found"})


def test_through_a_node_only_monetas_own_paths_are_reached(moneta: Moneta, node: str) -> None:
    assert moneta.call("GET", f"/node/{node}/coal-mine/v1/jobs").status_code == 405


def test_the_last_node_of_several_is_the_one_that_answers(moneta: Moneta, node: str) -> None:
    assert moneta.call("GET", f"/node/nobody/node/{node}/status").status_code == 404
    assert moneta.call("GET", f"/node/{node}/node/{node}/status").json()["name"] == node


def test_a_node_without_a_path_is_nothing(moneta: Moneta, node: str) -> None:
    assert moneta.call("GET", f"/node/{node}").status_code == 405


def test_so_many_nodes_in_one_path_are_no_path(moneta: Moneta, node: str) -> None:
    assert [moneta.call("GET", f"/node/{node}" * count + "/status").status_code for count in (3, 4, 1_000)] == [200, 405, 405]
