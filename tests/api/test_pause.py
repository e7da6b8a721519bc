"""pause and unpause."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.times import seconds_between
from tests.support.server import API, CoalMine


def test_pausing_clears_the_deadline(server: CoalMine, canary: Any) -> None:
    paused = server.call("pause", id=canary["id"])["canary"]

    assert (paused["paused"], "deadline" in paused) == (True, False)


def test_pausing_clears_late(server: CoalMine, canary: Any) -> None:
    late = server.call("update", id=canary["id"], periodicity=0.001)["canary"]["late"]
    paused = server.call("pause", id=canary["id"])["canary"]

    assert (late, paused["late"]) == (True, False)


def test_a_canary_that_was_paused_while_late_has_not_recovered(server: CoalMine, canary: Any) -> None:
    server.call("update", id=canary["id"], periodicity=0.001)
    server.call("pause", id=canary["id"])

    assert server.get(f"/{canary['id']}").json() == {"status": "ok", "recovered": False, "unpaused": True}


@pytest.mark.parametrize(("parameters", "text"), [({}, "Paused"), ({"comment": "holidays"}, "Paused (holidays)")])
def test_pausing_enters_the_history(server: CoalMine, canary: Any, parameters: dict[str, str], text: str) -> None:
    paused = server.call("pause", id=canary["id"], **parameters)["canary"]

    assert [text for _, text in paused["history"]] == [text, "Canary created"]


@pytest.mark.parametrize(("parameters", "text"), [({}, "Unpaused"), ({"comment": "back"}, "Unpaused (back)")])
def test_unpausing_enters_the_history(server: CoalMine, canary: Any, parameters: dict[str, str], text: str) -> None:
    server.call("pause", id=canary["id"])
    unpaused = server.call("unpause", id=canary["id"], **parameters)["canary"]

    assert unpaused["history"][0][1] == text


def test_unpausing_sets_the_deadline_to_now_plus_the_periodicity(server: CoalMine, canary: Any) -> None:
    server.call("pause", id=canary["id"])
    unpaused = server.call("unpause", id=canary["id"])["canary"]

    assert unpaused["paused"] is False
    assert seconds_between(unpaused["history"][0][0], unpaused["deadline"]) == 3600


@pytest.mark.parametrize("by", ["id", "slug", "name"])
def test_both_find_the_canary_by_id_slug_and_name(server: CoalMine, canary: Any, by: str) -> None:
    statuses = [server.call(command, **{by: canary[by]})["status"] for command in ("pause", "unpause")]

    assert statuses == ["ok", "ok"]


@pytest.mark.parametrize("command", ["pause", "unpause"])
def test_the_answer_is_the_same_as_that_of_get(server: CoalMine, name: str, command: str) -> None:
    canary = server.call("create", name=name, periodicity=60, paused=command == "unpause")["canary"]
    changed = server.call(command, id=canary["id"])

    assert changed == server.call("get", id=canary["id"])


@pytest.mark.parametrize(("command", "paused"), [("pause", "yes"), ("unpause", "no")])
def test_what_is_so_already_is_refused(server: CoalMine, name: str, command: str, paused: str) -> None:
    canary = server.call("create", name=name, periodicity=60, paused=paused)["canary"]
    answer = server.get(f"{API}/{command}", id=canary["id"])

    assert answer.status_code == 400
    assert server.call("get", id=canary["id"])["canary"] == canary
