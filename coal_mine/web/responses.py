"""Writing answers: JSON with four-space indent and a final newline, also for every error."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import bottle

from coal_mine.domain.errors import (
    Busy,
    Changed,
    CoalMineError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    StoreUnavailable,
    TooLarge,
    Unauthorized,
)

_log = logging.getLogger(__name__)


class TooSlow(CoalMineError):
    """The client did not send in time what it had announced."""


class WrongType(CoalMineError):
    """A body says that it is something else than what is asked for."""


class NotSatisfiable(CoalMineError):
    """The range of bytes that is asked for does not exist, or not as a whole."""

    def __init__(self, text: str, size: int | None) -> None:
        super().__init__(text)
        self.content_range = f"bytes */{'*' if size is None else size}"


class NotAllowed(CoalMineError):
    """Nothing answers this method at this path."""

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"405 Method Not Allowed: {method[:20]!r}; use {allowed.replace(',', ' or ')}")
        self.allowed = allowed


_STATUSES: tuple[tuple[type[CoalMineError], int], ...] = (
    (Invalid, 400),
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (NotAllowed, 405),
    (TooSlow, 408),
    (Conflict, 409),
    (Changed, 412),
    (TooLarge, 413),
    (WrongType, 415),
    (NotSatisfiable, 416),
    (Busy, 503),
)


Headers = list[tuple[str, str]]
_JSON: Headers = [("content-type", "application/json")]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Headers
    body: bytes


def as_json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=4).encode() + b"\n"


def json_answer(value: Mapping[str, Any], status: int = 200, headers: Headers | None = None) -> Answer:
    return Answer(status, _JSON + (headers or []), as_json(value))


def error_body(text: str) -> bytes:
    return as_json({"status": "error", "error": text})


@dataclass(frozen=True, slots=True)
class Failure:
    """What a client is told when something went wrong, in whatever form."""

    status: int
    text: str
    headers: Headers


def failure_of(error: Exception, asked: str) -> Failure:
    """What the client is told, and the log when the server is at fault; `asked` says by what request."""
    if isinstance(error, StoreUnavailable):  # the text names hosts or paths, which are nobody's business
        _log.warning("%s: %s", asked, error, extra={"action": "request_unanswered"})
        return Failure(503, "the store does not answer; whether a change was made is not known. Try again; the server's log says more", [])
    if not isinstance(error, CoalMineError):
        _log.error("%s failed", asked, exc_info=error, extra={"action": "request_failed"})
        return Failure(500, "internal error; the server's log says more", [])
    headers: Headers = []
    if isinstance(error, Unauthorized):
        headers = [("www-authenticate", 'Basic realm="Coal Mine"')]
    elif isinstance(error, NotAllowed):
        headers = [("allow", error.allowed)]
    elif isinstance(error, NotSatisfiable):
        headers = [("content-range", error.content_range)]
    return Failure(_status(error), str(error), headers)


def error_answer(error: Exception, asked: str) -> Answer:
    """As `failure_of`, in JSON."""
    failure = failure_of(error, asked)
    return Answer(failure.status, _JSON + failure.headers, error_body(failure.text))


class JsonAnswers:
    """A Bottle plugin: what a handler returns becomes JSON, unless it is an answer, and what it raises a status and an error in JSON."""

    name = "json-answers"
    api = 2

    def apply(self, callback: Callable[..., Any], route: Any) -> Callable[..., bytes]:
        def answered(*args: Any, **kwargs: Any) -> bytes:
            try:
                given = callback(*args, **kwargs)
                answer = given if isinstance(given, Answer) else json_answer(given)
            except Exception as error:  # noqa: BLE001 - the request's top
                answer = error_answer(error, f"{bottle.request.method} {route.rule}")
            bottle.response.status = answer.status
            for name, value in answer.headers:
                bottle.response.set_header(name, value)
            return answer.body

        return answered


def _status(error: CoalMineError) -> int:
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def answer_http_error(error: bottle.HTTPError) -> bytes:
    """For what no route answers: unknown paths, wrong methods."""
    bottle.response.content_type = "application/json"
    if error.status_code == 404:
        return error_body(f"404 Not Found: there is nothing at {bottle.request.path[:200]!r}")
    if error.status_code == 405:
        return error_body(str(NotAllowed(bottle.request.method, error.get_header("Allow", "GET"))))
    return error_body(error.status_line)


def refuse_odd_path(path: str) -> None:
    """The server puts this mark in the place of what is no UTF-8; we would act on another path than was asked for."""
    if "\ufffd" in path:
        raise Invalid("400 Bad Request: the path is not valid UTF-8")
