"""get and delete, and the ways to name a canary."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.server import API, CoalMine

REFERRING = ("get", "delete", "trigger", "pause", "unpause")


@pytest.mark.parametrize("by", ["id", "slug", "name"])
def test_a_canary_is_found_by_id_slug_and_name(server: CoalMine, canary: Any, by: str) -> None:
    assert server.call("get", **{by: canary[by]})["canary"] == canary


def test_a_name_is_found_in_any_spelling_of_its_slug(server: CoalMine, canary: Any) -> None:
    assert server.call("get", name=canary["name"].upper().replace("_", " "))["canary"] == canary


def test_the_id_goes_before_the_slug_and_the_slug_before_the_name(server: CoalMine, canary: Any) -> None:
    assert server.call("get", id=canary["id"], slug="no-such", name="no such")["canary"] == canary
    assert server.call("get", slug=canary["slug"], name="no such")["canary"] == canary


def test_delete_answers_with_the_status_only(server: CoalMine, canary: Any) -> None:
    assert server.call("delete", id=canary["id"]) == {"status": "ok"}


@pytest.mark.parametrize("command", REFERRING)
def test_a_deleted_canary_is_unknown(server: CoalMine, canary: Any, command: str) -> None:
    server.call("delete", id=canary["id"])

    assert server.get(f"{API}/{command}", id=canary["id"]).status_code == 404


def test_the_name_of_a_deleted_canary_is_free_again(server: CoalMine, canary: Any) -> None:
    server.call("delete", id=canary["id"])

    assert server.call("create", name=canary["name"], periodicity=60)["canary"]["id"] != canary["id"]


@pytest.mark.parametrize("command", [*REFERRING, "update"])
@pytest.mark.parametrize("reference", [{"id": "aaaaaaaa"}, {"id": "$ne"}, {"slug": "no-such-slug"}])
def test_an_unknown_canary_is_not_found(server: CoalMine, command: str, reference: dict[str, str]) -> None:
    more = {"description": "new"} if command == "update" else {}
    answer = server.get(f"{API}/{command}", **reference, **more)

    assert answer.status_code == 404
    assert answer.json()["status"] == "error"


@pytest.mark.parametrize("command", [*REFERRING, "update"])
def test_without_a_reference_the_call_is_refused(server: CoalMine, command: str) -> None:
    more = {"description": "new"} if command == "update" else {}
    answer = server.get(f"{API}/{command}", **more)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("which canary?")
