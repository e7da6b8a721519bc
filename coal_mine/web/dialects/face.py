"""What every dialect is: a WSGI application with routes, a gate, and answers of its own form, also to errors.

The gate is asked before anything else, so that nobody without the key learns what there is; no body has been read then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import bottle

from coal_mine.domain.errors import NotFound
from coal_mine.web.auth import admitted_without_key
from coal_mine.web.callers import Admitted
from coal_mine.web.environ import Environ
from coal_mine.web.parameters import Pairs
from coal_mine.web.responses import Answer, Headers, NotAllowed


class NoSuchPath(NotFound):
    """No route has this path, with whatever method."""


class DialectGate(Protocol):
    def admit(self, environ: Environ) -> Admitted:
        """The body is not looked at. Raises Unauthorized or Forbidden, or Busy."""


@dataclass(frozen=True, slots=True)
class Request:
    """One that was let in, and for which there is a route."""

    environ: Environ
    path: Mapping[str, str]
    query: Pairs  # without the key
    caller: str  # for the audit log


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str  # as Bottle's router has it: /tasks/<task:re:[0-9a-z]+>
    answer: Callable[[Request], Answer]
    is_open: bool = False  # to everybody, without the key


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a dialect answers, whatever the route."""

    error_answer: Callable[[Exception, str], Answer]  # the second says for the log by what request
    headers: Headers  # of every answer
    preflight: Answer | None = None  # of OPTIONS, which browsers send without any key; None: a method like any other


class Face:
    def __init__(
        self, gate: DialectGate, routes: Sequence[Route], form: Form, *, placed: Callable[[Environ], Environ] = lambda environ: environ
    ) -> None:
        """`placed` may lead a call that was let in to another path."""
        self._gate = gate
        self._form = form
        self._placed = placed
        self._routes = _router(routes)
        self._open_routes = _router([route for route in routes if route.is_open])

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = self._answer(environ)
        start_response(f"{answer.status} ", [*answer.headers, *self._form.headers])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _answer(self, environ: Environ) -> Answer:
        if environ["REQUEST_METHOD"] == "OPTIONS" and self._form.preflight:
            return self._form.preflight
        try:
            return self._routed(environ | {"PATH_INFO": environ["PATH_INFO"].encode("latin-1").decode()})
        except Exception as error:  # noqa: BLE001 - the request's top
            return self._form.error_answer(error, f"{environ['REQUEST_METHOD']} {environ['PATH_INFO'][:100]}")

    def _routed(self, environ: Environ) -> Answer:
        try:
            route, path = _match(self._open_routes, environ)
            admitted = admitted_without_key(environ)
        except (NoSuchPath, NotAllowed):
            admitted = self._gate.admit(environ)
            environ = self._placed(environ)
            route, path = _match(self._routes, environ)
        return route.answer(Request(environ, path, admitted.query, admitted.caller))


def _router(routes: Sequence[Route]) -> bottle.Router:
    router = bottle.Router()
    for route in routes:
        router.add(route.path, route.method, route)
    return router


def _match(router: bottle.Router, environ: Environ) -> tuple[Route, Mapping[str, str]]:
    """HEAD is answered where GET is. Raises NoSuchPath and NotAllowed."""
    try:
        route, path = router.match(environ)
    except bottle.HTTPError as error:
        if error.status_code == 405:
            raise NotAllowed(environ["REQUEST_METHOD"], error.get_header("Allow", "GET")) from None
        raise NoSuchPath(f"404 Not Found: there is nothing at {environ['PATH_INFO'][:200]!r}") from None
    return route, path
