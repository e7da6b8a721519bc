"""The frame of every dialect, for one that answers in a form of its own: in words, and errors by their kinds."""

from __future__ import annotations

from typing import Any

import pytest

from coal_mine.domain.errors import Conflict
from coal_mine.web.auth import JobGate
from coal_mine.web.dialects.face import Face, Form, NoSuchPath, Request, Route
from coal_mine.web.responses import Answer, failure_of

KEY = "right-key-2291"
PREFLIGHT = Answer(200, [("access-control-allow-origin", "*")], b"")


def error_answer(error: Exception, asked: str) -> Answer:
    kind = "nothing" if isinstance(error, NoSuchPath) else type(error).__name__
    return Answer(failure_of(error, asked).status, [], f"{kind} by {asked}".encode())


def said(request: Request) -> Answer:
    return Answer(200, [], f"{request.path} {request.query} {request.caller}".encode())


def refused(_request: Request) -> Answer:
    raise Conflict("it is there already")


ROUTES = [Route("GET", "/pets/<name>", said), Route("PUT", "/pets/<name>", refused), Route("GET", "/open/<name>", said, is_open=True)]


def called(method: str, path: str, *, key: str = "", preflight: Answer | None = None, **more: str) -> tuple[int, dict[str, str], str]:
    told: list[Any] = []
    face = Face(JobGate(KEY), ROUTES, Form(error_answer=error_answer, headers=[("x-pets", "yes")], preflight=preflight))
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "", "REMOTE_ADDR": "10.0.0.1", "HTTP_X_AUTH_TOKEN": key} | more
    body = b"".join(face(environ, lambda *status_and_headers: told.append(status_and_headers)))
    ((status, headers),) = told
    return int(status), dict(headers), body.decode()


def test_a_route_hears_path_query_and_caller() -> None:
    query = f"colour=blue&auth_key={KEY}"

    assert called("GET", "/pets/rex", QUERY_STRING=query)[2] == "{'name': 'rex'} [('colour', 'blue')] 10.0.0.1"


def test_a_path_is_read_as_utf_8() -> None:
    assert called("GET", "/pets/Zoë".encode().decode("latin-1"), key=KEY)[2].startswith("{'name': 'Zoë'}")


@pytest.mark.parametrize(("method", "path"), [("GET", "/pets/rex"), ("POST", "/pets/rex"), ("GET", "/nowhere"), ("POST", "/open/rex")])
def test_without_the_key_nobody_learns_what_there_is(method: str, path: str) -> None:
    assert called(method, path)[::2] == (401, f"Unauthorized by {method} {path}")


def test_what_is_open_needs_no_key() -> None:
    assert called("GET", "/open/rex")[0] == 200


def test_what_is_open_believes_no_name() -> None:
    assert called("GET", "/open/rex", HTTP_AUTHORIZATION="Basic YWxpY2U6eA==")[2].endswith(" 10.0.0.1")


@pytest.mark.parametrize(
    ("method", "path", "answered"),
    [
        ("GET", "/nowhere", (404, "nothing by GET /nowhere")),
        ("DELETE", "/pets/rex", (405, "NotAllowed by DELETE /pets/rex")),
        ("POST", "/open/rex", (405, "NotAllowed by POST /open/rex")),
        ("PUT", "/pets/rex", (409, "Conflict by PUT /pets/rex")),
    ],
)
def test_errors_are_answered_in_the_dialects_own_form(method: str, path: str, answered: tuple[int, str]) -> None:
    assert called(method, path, key=KEY)[::2] == answered


@pytest.mark.parametrize(("method", "path", "key"), [("GET", "/pets/rex", KEY), ("GET", "/pets/rex", ""), ("OPTIONS", "/pets/rex", "")])
def test_all_answers_have_the_dialects_own_headers(method: str, path: str, key: str) -> None:
    assert called(method, path, key=key, preflight=PREFLIGHT)[1]["x-pets"] == "yes"


def test_the_head_of_an_answer_comes_without_its_body() -> None:
    assert called("HEAD", "/pets/rex", key=KEY)[::2] == (200, "")


def test_a_preflight_needs_no_key_where_the_dialect_answers_it() -> None:
    assert called("OPTIONS", "/nowhere", preflight=PREFLIGHT)[0] == 200


def test_a_preflight_is_a_call_like_any_other_where_it_does_not() -> None:
    assert (called("OPTIONS", "/pets/rex")[0], called("OPTIONS", "/pets/rex", key=KEY)[0]) == (401, 405)
