"""list with search: a regular expression, which may be a stranger's."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from tests.support.server import API, CoalMine
from tests.support.waiting import PATIENCE

HOSTILE = ["(a+)+$", "(a|aa)+$", "(a|a?)+$", "(.*a){20}$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$"]


def _ids(server: CoalMine, expression: str) -> list[str]:
    return [one["id"] for one in server.call("list", search=expression)["canaries"]]


@pytest.mark.parametrize("field", ["id", "name", "slug"])
def test_search_looks_at_id_name_and_slug(server: CoalMine, canary: Any, field: str) -> None:
    assert canary["id"] in _ids(server, f"^{canary[field]}$")


def test_search_looks_at_the_addresses(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, periodicity=60, email=["x@example.test", f"{name[-8:]}@example.test"])["canary"]

    assert _ids(server, f"^{name[-8:]}@") == [canary["id"]]


def test_search_matches_in_the_middle(server: CoalMine, canary: Any) -> None:
    assert canary["id"] in _ids(server, canary["name"][5:-2])


def test_small_and_capital_letters_differ(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=f"CAPITALS {name[-8:]}", periodicity=60)["canary"]

    assert canary["id"] in _ids(server, f"CAPITALS {name[-8:]}")
    assert _ids(server, f"Capitals {name[-8:]}") == []


def test_an_empty_search_finds_all(server: CoalMine, canary: Any) -> None:
    assert canary["id"] in _ids(server, "")


def test_a_search_without_a_match_finds_none(server: CoalMine) -> None:
    assert _ids(server, "^no canary is called this$") == []


@pytest.mark.parametrize("expression", ["(", "[", "*", "a{2,1}", "(?<=a)b", r"(a)\1", "a{1001}", "(x{1000}){1000}", r"\p{Nope}", "\\"])
def test_a_bad_expression_is_refused_with_its_fault(server: CoalMine, canary: Any, expression: str) -> None:
    answer = server.get(f"{API}/list", search=expression)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("search is not a regular expression")


def test_an_expression_that_is_too_long_is_refused(server: CoalMine) -> None:
    answer = server.get(f"{API}/list", search="a" * 1_001)

    assert (answer.status_code, answer.json()["error"]) == (400, "search has 1001 characters; at most 1000 are allowed")


def test_hostile_expressions_take_no_time_on_hostile_names(server: CoalMine, name: str) -> None:
    for number in range(50):
        server.call("create", name="a" * 200 + f"!{name[-8:]}{number}!", periodicity=60, paused=1)
    begin = time.monotonic()
    for expression in HOSTILE:
        assert server.get(f"{API}/list", search=expression).status_code == 200

    assert time.monotonic() - begin < PATIENCE  # a backtracking engine would not end at all


@pytest.mark.parametrize(
    ("command", "field", "unit"),
    [
        ("list", "search", "(a+)+"),
        ("create", "periodicity", "0 0 29 2 * 3600;"),
        ("create", "schedule", "0,"),
        ("create", "name", "aA_- "),
        ("get", "name", "aA_- "),
        ("get", "slug", "a-"),
        ("pause", "comment", "((("),
    ],
)
def test_forty_inputs_of_sixty_kilobytes_take_no_time(server: CoalMine, canary: Any, command: str, field: str, unit: str) -> None:
    reference = {"id": canary["id"]} if command == "pause" else {}
    long = urlencode({**reference, field: (unit * 60_000)[:60_000]}).encode()
    begin = time.monotonic()
    with requests.Session() as session:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        statuses = {session.post(f"{server.url}{API}/{command}", long, headers=headers).status_code for _ in range(40)}

    assert statuses <= {400, 404}
    assert time.monotonic() - begin < PATIENCE
