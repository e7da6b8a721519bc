"""The application that the HTTP server serves, by Granian's interface RSGI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import bottle

from coal_mine.services.canaries import Canaries
from coal_mine.services.cluster import Cluster
from coal_mine.services.jobs import Jobs
from coal_mine.services.runs import Runs

from .auth import Gate, JobGate, refuse_foreign_name
from .bridge import Bridge, WsgiApp
from .canaries import CanaryRoutes
from .environ import Environ, Exchange, Scope, values_of
from .health import Health, HealthRoute
from .jobs import JobRoutes
from .listeners import drop_clients_that_do_not_read
from .nodes import NodeRoutes
from .openapi import OpenApiRoute
from .operations import Operation, mount
from .output import OutputRoute
from .responses import JsonAnswers, answer_http_error, error_answer, refuse_odd_path
from .runs import RunRoutes
from .triggers import TriggerRoute
from .turns import Turns


class App:
    """What must be fast, or must answer whatever else hangs, is answered in the event loop; Bottle does the rest in threads."""

    def __init__(
        self,
        canaries: Canaries,
        jobs: Jobs,
        runs: Runs,
        cluster: Cluster,
        dialects: Mapping[str, WsgiApp],
        *,
        key: str,
        job_key: str,
        local_only: bool,
        examine: Callable[[], Health],
        turns: Turns,
    ) -> None:
        """An empty `key` asks for none, an empty `job_key` lets nobody in.

        `dialects` answer the paths that begin with these segments. They ask for the key themselves, and have errors of their own form.
        `examine` says how the process is, at once and without asking the store.
        """
        self._local_only = local_only
        operations = operations_of(jobs, runs, cluster)
        self._bridge = Bridge(_Faces(_bottle(canaries, key, operations, job_key), dialects), turns)
        self._triggers = TriggerRoute(canaries)
        self._health = HealthRoute(examine)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._triggers.start(loop)
        loop.call_soon(drop_clients_that_do_not_read)  # the server listens when the loop runs

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        try:
            if self._local_only:
                refuse_foreign_name(values_of(scope.headers, "host"))
            reference = self._triggers.reference_in(scope.path)
            if reference:
                answer = await self._triggers.answer(scope, reference)
            elif self._health.is_for(scope.path):
                answer = self._health.answer(scope.method)
            else:
                refuse_odd_path(scope.path)
                answer = await self._bridge.answer(scope, exchange)
        except Exception as error:  # noqa: BLE001 - the request's top
            answer = error_answer(error, f"{scope.method} {scope.path[:100]}")
        exchange.response_bytes(answer.status, answer.headers, answer.body)


class _Faces:
    """The native API and the dialects, each a WSGI application."""

    def __init__(self, native: WsgiApp, dialects: Mapping[str, WsgiApp]) -> None:
        self._native = native
        self._dialects = dialects

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        first = environ["PATH_INFO"].lstrip("/").partition("/")[0]
        return self._dialects.get(first, self._native)(environ, start_response)


def operations_of(jobs: Jobs, runs: Runs, cluster: Cluster) -> list[Operation]:
    """The native API, but for canaries."""
    routes = (JobRoutes(jobs), RunRoutes(runs), OutputRoute(runs), NodeRoutes(cluster))
    operations = [operation for each in routes for operation in each.operations()]
    return [*operations, OpenApiRoute(operations).operation]


def _bottle(canaries: Canaries, key: str, operations: list[Operation], job_key: str) -> bottle.Bottle:
    app = bottle.Bottle()
    app.uninstall(True)  # Bottle's own JSON and templates: our answers have a form of their own
    app.default_error_handler = answer_http_error
    app.install(JsonAnswers())
    CanaryRoutes(canaries, Gate(key)).mount(app)
    mount(app, operations, JobGate(job_key))
    return app
