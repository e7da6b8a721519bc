"""The README's API reference, held against the running server."""

from __future__ import annotations

from itertools import takewhile

import pytest
from docutils import nodes

from coal_mine.web import responses
from tests.docs.documents import ROOT, doctree, rows, section
from tests.support.server import API, CoalMine

COMMANDS = ("create", "delete", "update", "get", "list", "trigger", "pause", "unpause")


def literals(part: nodes.Element) -> set[str]:
    return {literal.astext() for literal in part.findall(nodes.literal)}


def described_names(paragraph: nodes.Element) -> set[str]:
    """The literals before the dash."""
    head = takewhile(lambda part: " - " not in part.astext(), paragraph)
    return {part.astext() for part in head if isinstance(part, nodes.literal)}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_endpoint_is_described_with_exactly_its_parameters(command: str, server: CoalMine) -> None:
    error = server.call(command, nonsense="1")["error"]
    known = set(error.partition("known are ")[2].split(", "))
    parameters = next(iter(section(command.capitalize()).findall(nodes.bullet_list)))
    described = {name for item in parameters for name in described_names(item[0])}

    assert described == known


@pytest.mark.parametrize("command", COMMANDS)
def test_each_endpoint_has_its_path(command: str) -> None:
    assert f"{API}/{command}" in literals(section(command.capitalize()))


def test_each_status_that_the_server_gives_is_explained() -> None:
    given = {str(status) for _, status in responses._STATUSES} | {"405", "500"}
    explained = {row[0] for row in rows(section("Errors"))}

    # These two are the HTTP layer's own.
    assert explained == given | {"414", "431"}


def test_each_field_of_a_canary_is_described(server: CoalMine) -> None:
    every = server.call("create", name="Readme Fields", periodicity="* * * * * 60")["canary"]
    scheduled = server.call("create", name="Readme Fields Too", schedule="@daily")["canary"]

    assert literals(section("API")) >= set(every) | set(scheduled)


def test_health_answers_with_the_fields_described(server: CoalMine) -> None:
    health = server.get("/health").json()

    assert literals(section("Health")) >= set(health) - {"seconds_since_success"}


def test_each_job_call_is_described(server: CoalMine) -> None:
    paths = server.get("/coal-mine/v1/openapi.json").json()["paths"]
    names = {"{job}": "ID", "{run}": "RUN", "{node}": "NAME", "{pool}": "NAME"}
    calls = {f"{method.upper()} {path.removeprefix('/coal-mine/v1')}" for path, methods in paths.items() for method in methods}
    for placeholder, name in names.items():
        calls = {call.replace(placeholder, name) for call in calls}

    assert literals(section("The API of jobs")) >= calls - {"GET /openapi.json"}


def test_each_field_of_a_job_is_described(server: CoalMine) -> None:
    schemas = server.get("/coal-mine/v1/openapi.json").json()["components"]["schemas"]
    page = doctree(ROOT / "docs/jobs.rst")

    assert literals(section("The API of jobs")) | literals(page) >= set(schemas["Job"]["properties"])
