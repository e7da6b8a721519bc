"""The form of answers: JSON with four blanks, a final newline and millisecond times."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.api.wire import exchange, request
from tests.support.server import API, CoalMine

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"

CALLS = {
    "list": ("GET", f"{API}/list?verbose=1", 200),
    "health": ("GET", "/health", 200),
    "bad value": ("GET", f"{API}/list?late=perhaps", 400),
    "bad path": ("GET", "/%ff", 400),
    "unknown canary": ("GET", "/aaaaaaaa", 404),
    "unknown path": ("GET", "/no/such/path", 404),
    "wrong method": ("DELETE", f"{API}/get", 405),
}


@pytest.mark.parametrize("call", CALLS)
def test_every_answer_is_indented_json_with_a_final_newline(server: CoalMine, canary: Any, call: str) -> None:
    method, target, status = CALLS[call]
    answer = exchange(server, request(method, target))

    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert answer.body.decode("ascii") == json.dumps(answer.json, indent=4) + "\n"


@pytest.mark.parametrize("call", [call for call in CALLS if CALLS[call][2] >= 400])
def test_every_error_has_a_status_and_a_text(server: CoalMine, call: str) -> None:
    method, target, _ = CALLS[call]

    assert exchange(server, request(method, target)).error


@pytest.mark.parametrize("command", ["create", "get", "update", "pause", "unpause", "trigger", "delete"])
def test_the_status_comes_first(server: CoalMine, name: str, command: str) -> None:
    canary_id = server.call("create", name=name, periodicity=60, paused=command == "unpause")["canary"]["id"]
    more = {"name": f"Second {name}", "periodicity": "60"} if command == "create" else {"id": canary_id}
    more |= {"description": "new"} if command == "update" else {}
    answer = server.call(command, **more)

    assert next(iter(answer.items())) == ("status", "ok")


def test_times_have_milliseconds_and_say_utc(server: CoalMine, canary: Any) -> None:
    server.get(f"/{canary['id']}")
    shown = server.call("get", id=canary["id"])["canary"]

    assert all(re.fullmatch(TIME, text) for text in [shown["deadline"], *(at for at, _ in shown["history"])])


def test_times_at_a_whole_second_have_milliseconds_too(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, schedule="0 0 1 1 *", grace=60)["canary"]

    assert canary["deadline"].endswith("-01-01T00:01:00.000Z")


@pytest.mark.parametrize(
    ("given", "shown"), [("3600", "3600"), ("3600.0", "3600"), ("0.5", "0.5"), (".25", "0.25"), ("90.", "90"), ("0.001", "0.001")]
)
def test_whole_periodicities_are_integers_and_others_are_not(server: CoalMine, name: str, given: str, shown: str) -> None:
    answer = server.get(f"{API}/create", name=name, periodicity=given, paused="yes")

    assert f'"periodicity": {shown},\n' in answer.text


def test_other_alphabets_are_escaped(server: CoalMine, name: str) -> None:
    answer = server.get(f"{API}/create", name=f"\N{SNOWMAN} {name}", periodicity=60)

    assert f'"name": "\\u2603 {name}"' in answer.text
