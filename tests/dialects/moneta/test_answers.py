"""The form of answers: types, errors, unknown paths, and what pages of other sites may read."""

from __future__ import annotations

import uuid

import pytest
import requests

from coal_mine.domain.reserved import FIRST_SEGMENTS
from coal_mine.web.dialects.moneta.app import SEGMENTS
from tests.api.wire import exchange, request
from tests.dialects.moneta.client import Moneta

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, EXECUTE, KILL",
    "Access-Control-Allow-Headers": "content-type",
}


def told(answer: requests.Response) -> dict[str, str]:
    """What it says to pages of other sites."""
    return {name: text for name, text in answer.headers.items() if name.lower().startswith("access-control")}


@pytest.mark.parametrize("path", ["/tasks", "/tasks/508b4b72/enable", "/node/any/tasks", "/cluster/nonsense"])
def test_a_browser_may_ask_first_without_the_key(moneta: Moneta, path: str) -> None:
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "PUT"}
    answer = requests.options(moneta.server.url + path, headers=headers)

    assert (answer.status_code, answer.content) == (200, b"")
    assert {name.lower(): text for name, text in told(answer).items()} == {name.lower(): text for name, text in CORS.items()}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/tasks", 200),
        ("POST", "/tasks", 400),
        ("GET", "/tasks/none", 404),
        ("GET", "/tasks/A", 405),
        ("GET", "/node/none/tags", 404),
    ],
)
def test_each_answer_can_be_read_by_other_sites_and_none_with_their_users_password(
    moneta: Moneta, method: str, path: str, status: int
) -> None:
    answer = moneta.call(method, path)

    assert answer.status_code == status
    assert {name.lower(): text for name, text in told(answer).items()} == {name.lower(): text for name, text in CORS.items()}


def test_what_needs_the_key_says_so_to_other_sites_too(moneta: Moneta) -> None:
    answer = requests.get(f"{moneta.server.url}/tasks")

    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, "*")


def test_answers_are_json(moneta: Moneta) -> None:
    assert moneta.call("GET", "/tags").headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tasks/Backup"),
        ("GET", "/tasks/a-b"),
        ("GET", "/tasks/a/nonsense"),
        ("GET", "/cluster"),
        ("GET", "/cluster/nonsense"),
        ("GET", "/tasks/a/enable"),
        ("PATCH", "/tasks"),
        ("PUT", "/tasks"),
        ("EXECUTE", "/tasks"),
        ("PROPFIND", "/tags"),
        ("GET", "/node"),
        ("GET", "/node/localhost"),
    ],
)
def test_unknown_paths_and_methods_are_answered_with_an_empty_405(moneta: Moneta, method: str, path: str) -> None:
    answer = moneta.call(method, path)

    assert (answer.status_code, answer.content) == (405, b"")


@pytest.mark.parametrize("path", ["/tags/", "//tags", "/tags//", "///tags"])
def test_more_slashes_than_needed_do_no_harm(moneta: Moneta, path: str) -> None:
    answer = exchange(moneta.server, request("GET", path, f"X-Auth-Token: {moneta.key}"))

    assert (answer.status, isinstance(answer.json, list)) == (200, True)


def test_head_answers_like_get_without_a_body(moneta: Moneta) -> None:
    answer = moneta.call("HEAD", "/tags")

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "application/json;charset=UTF-8", ""])
def test_whatever_a_body_says_to_be_it_is_read_as_json(moneta: Moneta, kind: str) -> None:
    body = b'{"name": "A task", "command": "true"}'
    headers = [f"X-Auth-Token: {moneta.key}", f"Content-Length: {len(body)}", *([f"Content-Type: {kind}"] if kind else [])]

    assert exchange(moneta.server, request("POST", "/tasks", *headers, body=body)).status == 201


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"{", "the body is not JSON: "),
        (b"\xff", "the body is not UTF-8 at byte 1"),
        (b"[]", "the task is a list, not an object"),
        (b"null", "the task is null, not an object"),
        (b'"\\ud800"', "the body contains half a character"),
        (b'{"a": 1, "a": 2}', "the body has an object with two members 'a'"),
        (b'{"command": "true", "x": NaN}', "the body contains NaN"),
        (b"[" * 5_000, "the body"),
        (b'{"command": "a\\u0000b"}', "command contains the control character U+0000"),
        (b'{"command": "true", "tags": {}}', "tags is an object, not a list"),
        (b'{"command": "true", "env": {"A": 1}}', "env.A is a number, not a text"),
        (b'{"command": "true", "user": "a b"}', "user 'a b' is not the name of a user"),
        (b'{"command": "true", "enabled": "yes"}', "enabled is a text, not true or false"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_bad_body_is_answered_with_what_is_wrong(moneta: Moneta, method: str, body: bytes, fault: str) -> None:
    path = "/tasks" if method == "POST" else f"/tasks/{uuid.uuid4().hex}"
    answer = exchange(moneta.server, request(method, path, f"X-Auth-Token: {moneta.key}", f"Content-Length: {len(body)}", body=body))

    assert (answer.status, answer.json["error"], answer.json["message"].startswith(fault)) == (400, True, True)


@pytest.mark.parametrize("query", ["tag=%ff", "%ff=tag", "tag=%ed%a0%80"])
def test_a_query_that_is_no_text_is_refused(moneta: Moneta, query: str) -> None:
    answer = exchange(moneta.server, request("GET", f"/tasks?{query}", f"X-Auth-Token: {moneta.key}"))

    assert (answer.status, answer.json["message"].endswith("is not valid UTF-8")) == (400, True)


def test_each_first_segment_is_reserved() -> None:
    assert set(SEGMENTS) <= FIRST_SEGMENTS


def test_a_missing_body_is_named(moneta: Moneta) -> None:
    status, text = moneta.error("POST", "/tasks")

    assert (status, text.startswith("the body is missing")) == (400, True)


def test_a_body_that_is_too_large_is_not_read(moneta: Moneta) -> None:
    headers = [f"X-Auth-Token: {moneta.key}", "Content-Length: 1048577"]

    assert exchange(moneta.server, request("POST", "/tasks", *headers)).status == 413


def test_the_audit_log_has_the_place_that_else_were_a_canarys(moneta: Moneta) -> None:
    assert moneta.call("GET", "/auditlog").status_code == 200


def test_no_native_path_has_become_another(moneta: Moneta) -> None:
    answer = moneta.call("GET", "/nonsense")

    assert (answer.status_code, answer.json()["status"]) == (404, "error")
