"""Minion's paths. Its errors are plain texts, and whoever lacks the key is told nothing."""

from __future__ import annotations

import json
from typing import Any

from coal_mine import __version__
from coal_mine.domain.errors import Forbidden, Unauthorized
from coal_mine.web.bodies import json_body
from coal_mine.web.dialects.face import Face, Form, Request, Route
from coal_mine.web.metrics import Metrics
from coal_mine.web.responses import Answer, Headers, failure_of

from .access import MinionGate
from .verbs import Verbs

# The first segment of its paths.
SEGMENT = "v1"
_PREFIX = "/v1/minion"
_TEXT: Headers = [("content-type", "text/plain; charset=utf-8")]
_JSON: Headers = [("content-type", "application/json")]
# Pages of other sites may read what needs no key. What needs it may not be read by a page that does not send the key itself.
_ANY_ORIGIN: Headers = [("access-control-allow-origin", "*")]
_PREFLIGHT: Headers = [*_ANY_ORIGIN, ("access-control-allow-headers", "X-Auth-Token")]
# As Minion says it, though it is no JSON.
_DONE = Answer(202, _JSON, b"OK")
_REFUSED = Answer(403, _TEXT, b"")


def minion_face(verbs: Verbs, gate: MinionGate, metrics: Metrics) -> Face:
    form = Form(error_answer=_error_answer, headers=[], preflight=Answer(200, [*_TEXT, *_PREFLIGHT], b""))
    return Face(gate, [*_open_routes(metrics), *_JobRoutes(verbs).routes()], form)


def _open_routes(metrics: Metrics) -> list[Route]:
    return [
        Route("GET", f"{_PREFIX}/ping", _ping, is_open=True),
        Route("GET", f"{_PREFIX}/version", _version, is_open=True),
        Route("GET", f"{_PREFIX}/metrics", lambda _request: metrics.answer(), is_open=True),
    ]


class _JobRoutes:
    def __init__(self, verbs: Verbs) -> None:
        self._verbs = verbs

    def routes(self) -> list[Route]:
        account = f"{_PREFIX}/<account>/jobs"
        group, job = f"{account}/<group>", f"{account}/<group>/<job>"
        return [
            Route("GET", account, self._list_account),
            Route("GET", group, self._list_group),
            Route("POST", group, self._create),
            Route("DELETE", group, self._delete_group),
            Route("GET", job, self._get),
            Route("PUT", job, self._put),
            Route("DELETE", job, self._delete),
            Route("PATCH", job, self._run),
        ]

    def _list_account(self, request: Request) -> Answer:
        return _json(self._verbs.of_account(**request.path))

    def _list_group(self, request: Request) -> Answer:
        return _json(self._verbs.of_group(**request.path))

    def _create(self, request: Request) -> Answer:
        return _json(self._verbs.create(**request.path, body=_body(request), by=request.caller))

    def _get(self, request: Request) -> Answer:
        return _json(self._verbs.get(**request.path))

    def _put(self, request: Request) -> Answer:
        """In HTTP's own words, `If-None-Match: *` is to be done only if there is no such job yet: so jobs come here with their ids."""
        verb = self._verbs.place if request.environ.get("HTTP_IF_NONE_MATCH", "").strip() == "*" else self._verbs.replace
        return _json(verb(**request.path, body=_body(request), by=request.caller), 202)

    def _delete(self, request: Request) -> Answer:
        self._verbs.delete(**request.path, by=request.caller)
        return _DONE

    def _delete_group(self, request: Request) -> Answer:
        self._verbs.delete_group(**request.path, by=request.caller)
        return _DONE

    def _run(self, request: Request) -> Answer:
        self._verbs.run(**request.path, by=request.caller)
        return _DONE


def _error_answer(error: Exception, asked: str) -> Answer:
    if isinstance(error, Unauthorized | Forbidden):
        return _REFUSED
    failure = failure_of(error, asked)
    return Answer(failure.status, _TEXT + failure.headers, f"{failure.text}\n".encode())


def _ping(_request: Request) -> Answer:
    return Answer(200, [*_TEXT, *_ANY_ORIGIN], b"pong")


def _version(_request: Request) -> Answer:
    """A program from a package index knows its version only."""
    told = _json({"version": __version__, "githash": "", "buildstamp": ""})
    return Answer(told.status, [*told.headers, *_ANY_ORIGIN], told.body)


def _body(request: Request) -> Any:
    return json_body(request.environ, needed=True, any_type=True)


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, _JSON, json.dumps(value).encode())
