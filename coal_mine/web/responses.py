"""Writing answers: JSON with four-space indent and a final newline, also for every error."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import bottle

from coal_mine.domain.errors import (
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


class Busy(CoalMineError):
    """The server cannot take this request now; the same request may be taken later."""


_STATUSES: tuple[tuple[type[CoalMineError], int], ...] = (
    (Invalid, 400),
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooLarge, 413),
    (Busy, 503),
)


def as_json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=4).encode() + b"\n"


def error_body(text: str) -> bytes:
    return as_json({"status": "error", "error": text})


class JsonAnswers:
    """A Bottle plugin: what a handler returns becomes JSON, what it raises becomes a status and an error in JSON."""

    name = "json-answers"
    api = 2

    def apply(self, callback: Callable[..., Any], route: Any) -> Callable[..., bytes]:
        def answered(*args: Any, **kwargs: Any) -> bytes:
            bottle.response.content_type = "application/json"
            try:
                result = callback(*args, **kwargs)
            except StoreUnavailable as error:  # the text names hosts or paths, which are nobody's business
                _log.warning("%s %s: %s", bottle.request.method, route.rule, error, extra={"action": "request_unanswered"})
                bottle.response.status = 503
                return error_body(
                    "the store does not answer; whether a change was made is not known. Try again; the server's log says more"
                )
            except CoalMineError as error:
                bottle.response.status = _status(error)
                if isinstance(error, Unauthorized):
                    bottle.response.set_header("WWW-Authenticate", 'Basic realm="Coal Mine"')
                return error_body(str(error))
            except Exception:  # noqa: BLE001 - the request's top: the client gets a fixed text
                _log.exception("%s %s failed", bottle.request.method, route.rule, extra={"action": "request_failed"})
                bottle.response.status = 500
                return error_body("internal error; the server's log says more")
            return result if isinstance(result, bytes) else as_json(result)

        return answered


def _status(error: CoalMineError) -> int:
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def refuse_odd_path() -> None:
    """A hook before each request. Bottle leaves out what is no UTF-8, and would then act on another path than was asked for."""
    try:
        bottle.request.environ["bottle.raw_path"].encode("latin-1").decode()
    except UnicodeDecodeError:
        raise bottle.HTTPError(400, "the path is not valid UTF-8") from None


def answer_http_error(error: bottle.HTTPError) -> bytes:
    """For what no route answers: unknown paths, wrong methods, paths that are no UTF-8."""
    bottle.response.content_type = "application/json"
    texts = {
        400: f"400 Bad Request: {error.body}",
        404: f"404 Not Found: there is nothing at {bottle.request.path[:200]!r}",
        405: f"405 Method Not Allowed: {bottle.request.method[:20]!r}; use {error.get_header('Allow', 'GET').replace(',', ' or ')}",
    }
    return error_body(texts.get(error.status_code, error.status_line))
