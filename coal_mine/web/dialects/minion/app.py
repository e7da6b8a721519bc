"""Minion's paths as a WSGI application of their own: its errors are plain texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import bottle

from coal_mine import __version__
from coal_mine.domain.errors import NotFound
from coal_mine.web.bodies import json_body
from coal_mine.web.callers import caller_of
from coal_mine.web.environ import Environ
from coal_mine.web.metrics import Metrics
from coal_mine.web.responses import Answer, Headers, NotAllowed, failure_of

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

Path = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    method: str
    path: str
    answer: Callable[[Environ, Path], Answer]
    is_open: bool = False  # to everybody, without the key


class MinionApp:
    def __init__(self, verbs: Verbs, gate: MinionGate, metrics: Metrics) -> None:
        self._verbs = verbs
        self._gate = gate
        self._metrics = metrics
        self._router = bottle.Router()
        for route in self._routes():
            self._router.add(_PREFIX + route.path, route.method, route)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = self._answer(environ)
        start_response(f"{answer.status} ", answer.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _routes(self) -> list[_Route]:
        account, group = "/<account>/jobs", "/<account>/jobs/<group>"
        job = f"{group}/<job>"
        return [
            _Route(method="GET", path="/ping", answer=_ping, is_open=True),
            _Route(method="GET", path="/version", answer=_version, is_open=True),
            _Route(method="GET", path="/metrics", answer=lambda _environ, _path: self._metrics.answer(), is_open=True),
            _Route(method="GET", path=account, answer=self._list_account),
            _Route(method="GET", path=group, answer=self._list_group),
            _Route(method="POST", path=group, answer=self._create),
            _Route(method="DELETE", path=group, answer=self._delete_group),
            _Route(method="GET", path=job, answer=self._get),
            _Route(method="PUT", path=job, answer=self._put),
            _Route(method="DELETE", path=job, answer=self._delete),
            _Route(method="PATCH", path=job, answer=self._run),
        ]

    def _answer(self, environ: Environ) -> Answer:
        if environ["REQUEST_METHOD"] == "OPTIONS":  # which browsers send without any key
            return Answer(200, [*_TEXT, *_PREFLIGHT], b"")
        try:
            return self._routed(environ | {"PATH_INFO": environ["PATH_INFO"].encode("latin-1").decode()})
        except Exception as error:  # noqa: BLE001 - the request's top
            failure = failure_of(error, f"{environ['REQUEST_METHOD']} {environ['PATH_INFO'][:100]}")
            return Answer(failure.status, _TEXT + failure.headers, f"{failure.text}\n".encode())

    def _routed(self, environ: Environ) -> Answer:
        try:
            route, path = self._router.match(environ)
        except bottle.HTTPError as error:
            if not self._gate.admits(environ):
                return _REFUSED
            raise _unrouted(error, environ) from None
        if not route.is_open and not self._gate.admits(environ):
            return _REFUSED
        answer: Answer = route.answer(environ, path)
        return answer

    def _list_account(self, _environ: Environ, path: Path) -> Answer:
        return _json(self._verbs.of_account(path["account"]))

    def _list_group(self, _environ: Environ, path: Path) -> Answer:
        return _json(self._verbs.of_group(path["account"], path["group"]))

    def _create(self, environ: Environ, path: Path) -> Answer:
        return _json(self._verbs.create(path["account"], path["group"], _body(environ), caller_of(environ)))

    def _get(self, _environ: Environ, path: Path) -> Answer:
        return _json(self._verbs.get(path["account"], path["group"], path["job"]))

    def _put(self, environ: Environ, path: Path) -> Answer:
        """In HTTP's own words, `If-None-Match: *` is to be done only if there is no such job yet: so jobs come here with their ids."""
        verb = self._verbs.place if environ.get("HTTP_IF_NONE_MATCH", "").strip() == "*" else self._verbs.replace
        return _json(verb(path["account"], path["group"], path["job"], _body(environ), caller_of(environ)), 202)

    def _delete(self, environ: Environ, path: Path) -> Answer:
        self._verbs.delete(path["account"], path["group"], path["job"], caller_of(environ))
        return _DONE

    def _delete_group(self, environ: Environ, path: Path) -> Answer:
        self._verbs.delete_group(path["account"], path["group"], caller_of(environ))
        return _DONE

    def _run(self, environ: Environ, path: Path) -> Answer:
        self._verbs.run(path["account"], path["group"], path["job"], caller_of(environ))
        return _DONE


def _ping(_environ: Environ, _path: Path) -> Answer:
    return Answer(200, [*_TEXT, *_ANY_ORIGIN], b"pong")


def _version(_environ: Environ, _path: Path) -> Answer:
    """A program from a package index knows its version only."""
    told = _json({"version": __version__, "githash": "", "buildstamp": ""})
    return Answer(told.status, [*told.headers, *_ANY_ORIGIN], told.body)


def _body(environ: Environ) -> Any:
    return json_body(environ, needed=True, any_type=True)


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, _JSON, json.dumps(value).encode())


def _unrouted(error: bottle.HTTPError, environ: Environ) -> Exception:
    if error.status_code == 405:
        return NotAllowed(environ["REQUEST_METHOD"], error.get_header("Allow", "GET"))
    return NotFound(f"404 Not Found: there is nothing at {environ['PATH_INFO'][:200]!r}")
