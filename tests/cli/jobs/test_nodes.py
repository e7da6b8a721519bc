"""Looking after nodes, pools and execution as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.command import Cmcli
from tests.cli.jobs.conftest import Call


@pytest.fixture
def node(cmcli: Cmcli, call: Call) -> Iterator[str]:
    """The name of the server's own node, which takes runs again afterwards."""
    name: str = call("GET", "nodes")["nodes"][0]["name"]
    yield name
    call("POST", f"nodes/{name}/undrain")


@pytest.fixture
def pool(cmcli: Cmcli, call: Call) -> Iterator[str]:
    """A pool that no other test has."""
    yield "some-pool"
    call("POST", "pools/some-pool/unpause")


def test_a_drained_node_can_be_undrained(cmcli: Cmcli, node: str) -> None:
    drained, undrained = (cmcli("node", verb, node).json["draining"] for verb in ("drain", "undrain"))

    assert (drained, undrained) == (True, False)


def test_nodes_are_listed(cmcli: Cmcli, node: str) -> None:
    assert [found["name"] for found in cmcli("node", "list").json["nodes"]] == [node]


def test_a_node_that_lives_is_not_removed(cmcli: Cmcli, node: str) -> None:
    outcome = cmcli("node", "remove", node)

    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == f"cmcli: node {node} is alive: drain it, wait until it runs nothing, and stop it first\n"


def test_an_unknown_node_is_one_line(cmcli: Cmcli) -> None:
    outcome = cmcli("node", "get", "nobody")

    assert (outcome.status, outcome.err) == (1, "cmcli: there is no node named 'nobody'\n")


def test_a_paused_pool_can_be_unpaused(cmcli: Cmcli, pool: str) -> None:
    paused, unpaused = (cmcli("pool", verb, pool).json["paused"] for verb in ("pause", "unpause"))

    assert (paused, unpaused) == (True, False)


def test_paused_pools_are_listed(cmcli: Cmcli, pool: str) -> None:
    cmcli("pool", "pause", pool)

    assert {"name": pool, "nodes": [], "paused": True} in cmcli("pool", "list").json["pools"]


def test_that_a_paused_pool_is_unknown_is_said(cmcli: Cmcli, pool: str) -> None:
    outcome = cmcli.on_terminal("pool", "pause", pool)

    assert (outcome.out, outcome.err) == ("Paused.\n", f"cmcli: warning: no node serves the pool {pool} and no job names it\n")


def test_execution_can_be_switched_off_and_on(cmcli: Cmcli) -> None:
    answers = [cmcli("execution", *word).json["enabled"] for word in (["off"], [], ["on"], [])]

    assert answers == [False, False, True, True]
