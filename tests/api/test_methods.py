"""GET, HEAD, POST and the others."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.api.wire import FORM, exchange, form, request
from tests.support.server import API, CoalMine

COMMANDS = ["create", "delete", "update", "get", "list", "trigger", "pause", "unpause"]
TIMELY = {"status": "ok", "recovered": False, "unpaused": False}


def events(server: CoalMine, canary: Any) -> list[str]:
    return [text for _, text in server.call("get", id=canary["id"])["canary"]["history"]]


def test_head_answers_like_get_without_a_body(server: CoalMine, canary: Any) -> None:
    target = f"{API}/get?id={canary['id']}"
    got, headed = exchange(server, request("GET", target)), exchange(server, request("HEAD", target))

    assert headed.body == b""
    assert {**headed.headers, "date": ""} == {**got.headers, "date": ""}


@pytest.mark.parametrize("target", ["/{id}", API + "/trigger?id={id}"])
def test_head_triggers(server: CoalMine, canary: Any, target: str) -> None:
    answer = exchange(server, request("HEAD", target.format(**canary)))

    assert answer.status == 200
    assert events(server, canary) == ["Triggered", "Canary created"]


@pytest.mark.parametrize(("target", "status"), [("/aaaaaaaa", 404), (f"{API}/list?late=x", 400)])
def test_head_tells_errors_by_the_status(server: CoalMine, target: str, status: int) -> None:
    answer = exchange(server, request("HEAD", target))

    assert (answer.status, answer.body) == (status, b"")


def test_post_takes_parameters_from_a_form(server: CoalMine, name: str) -> None:
    fields = {"name": name, "periodicity": "60", "email": ["a@example.test", "b@example.test"], "paused": "yes"}
    canary = requests.post(f"{server.url}{API}/create", fields).json()["canary"]

    assert (canary["name"], canary["emails"], canary["paused"]) == (name, fields["email"], True)


def test_post_takes_parameters_from_the_query(server: CoalMine, canary: Any) -> None:
    answer = requests.post(f"{server.url}{API}/get", params={"id": canary["id"]})

    assert answer.json()["canary"] == canary


def test_post_takes_parameters_from_both(server: CoalMine, canary: Any) -> None:
    answer = requests.post(f"{server.url}{API}/update", {"description": "from the form"}, params={"id": canary["id"]})

    assert answer.json()["canary"] == canary | {"description": "from the form"}


def test_a_parameter_in_query_and_form_is_repeated(server: CoalMine, canary: Any) -> None:
    answer = requests.post(f"{server.url}{API}/get", {"id": canary["id"]}, params={"id": canary["id"]})

    assert (answer.status_code, answer.json()["error"]) == (400, "parameter id is given 2 times")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_can_be_posted(server: CoalMine, name: str, command: str) -> None:
    canary = server.call("create", name=name, periodicity=60, paused=command == "unpause")["canary"]
    query = {"list": {}, "create": {"name": f"Second {name}", "periodicity": "60"}}.get(command, {"id": canary["id"]})
    query |= {"description": "new"} if command == "update" else {}

    assert requests.post(f"{server.url}{API}/{command}", params=query).status_code == 200


def test_a_posted_trigger_does_not_read_its_body(server: CoalMine, canary: Any) -> None:
    body = b"this is \xff no form" * 50_000
    short = exchange(server, request("POST", f"/{canary['id']}", f"Content-Length: {len(body)}", body=body))
    long = requests.post(f"{server.url}{API}/trigger", {"comment": "not read"}, params={"id": canary["id"]})

    assert (short.json, long.json()) == (TIMELY, TIMELY)
    assert events(server, canary) == ["Triggered", "Triggered", "Canary created"]


def test_a_trigger_does_not_wait_for_its_body(server: CoalMine, canary: Any) -> None:
    answer = exchange(server, request("POST", f"/{canary['id']}", FORM, "Content-Length: 1000"))

    assert answer.json == TIMELY


def test_a_get_does_not_read_its_body(server: CoalMine, canary: Any) -> None:
    sent = request("GET", f"{API}/get?id={canary['id']}", FORM, "Content-Length: 11", body=b"description")

    assert exchange(server, sent).json["canary"] == canary


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", [f"{API}/trigger", "/aaaaaaaa", f"{API}/create"])
def test_other_methods_are_not_allowed(server: CoalMine, method: str, path: str) -> None:
    answer = exchange(server, request(method, path, "Content-Length: 0"))

    assert (answer.status, answer.headers["allow"]) == (405, "GET,POST")
    assert answer.error == f"405 Method Not Allowed: {method!r}; use GET or POST"


def test_a_method_cannot_be_overridden(server: CoalMine, canary: Any) -> None:
    answer = exchange(server, form("get", f"id={canary['id']}&_method=DELETE".encode(), "X-HTTP-Method-Override: DELETE"))

    assert answer.status == 400
    assert server.call("get", id=canary["id"])["canary"] == canary


def test_what_is_read_only_says_which_methods_it_takes(server: CoalMine) -> None:
    answer = exchange(server, request("POST", "/health", "Content-Length: 0"))

    assert answer.error == "405 Method Not Allowed: 'POST'; use GET"
