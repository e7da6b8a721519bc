"""Moneta's paths as a WSGI application of their own, for its answers to unknown paths and errors are not the native API's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import bottle

from coal_mine.web.environ import Environ
from coal_mine.web.parameters import refuse_odd_letters
from coal_mine.web.responses import Answer

from .access import MonetaGate
from .answers import CORS, answer, empty, error_answer
from .calls import Call, Route
from .standpoint import Standpoint

# The first segments of its paths.
SEGMENTS = ("tasks", "tags", "plugins", "status", "cluster", "node", "processes", "executionsummary", "auditlog", "running", "gui")


class MonetaApp:
    def __init__(self, gate: MonetaGate, standpoint: Standpoint, routes: Sequence[Route]) -> None:
        self._gate = gate
        self._standpoint = standpoint
        self._router = bottle.Router()
        for route in routes:
            self._router.add(route.path, route.method, route.handle)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        given = self._answer(environ)
        start_response(f"{given.status} ", [*given.headers, *CORS])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [given.body]

    def _answer(self, environ: Environ) -> Answer:
        if environ["REQUEST_METHOD"] == "OPTIONS":  # which browsers send without any key
            return empty(200)
        try:
            query = self._gate.admit(environ)
            refuse_odd_letters(query)
            environ = self._standpoint.taken(environ | {"PATH_INFO": _tidy(environ["PATH_INFO"])})
            handle, path = self._router.match(environ)
            given = handle(Call(environ, path, query, partial(self._standpoint.node, environ)))
        except Exception as error:  # noqa: BLE001 - the request's top
            return error_answer(error, f"{environ['REQUEST_METHOD']} {environ['PATH_INFO'][:100]}")
        return given if isinstance(given, Answer) else answer(given)


def _tidy(path: str) -> str:
    """Without repeated slashes, which Moneta folds, and without one at the end, which its first versions took; after /gui it counts."""
    folded = re.sub("/+", "/", path.encode("latin-1").decode())
    return folded if re.match("/(node/[^/]+/)*gui/", folded) else folded.rstrip("/") or "/"
