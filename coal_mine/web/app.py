"""The application that the HTTP server serves, by Granian's interface RSGI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import bottle

from coal_mine.services.canaries import Canaries

from .auth import Gate, refuse_foreign_name
from .bridge import Bridge
from .canaries import CanaryRoutes
from .environ import Exchange, Scope, values_of
from .health import Health, HealthRoute
from .listeners import drop_clients_that_do_not_read
from .responses import JsonAnswers, answer_http_error, error_answer, refuse_odd_path
from .triggers import TriggerRoute


class App:
    """What must be fast, or must answer whatever else hangs, is answered in the event loop; Bottle does the rest in threads."""

    def __init__(self, canaries: Canaries, *, key: str, local_only: bool, examine: Callable[[], Health]) -> None:
        """An empty `key` asks for none; `examine` says how the process is, at once and without asking the store."""
        self._local_only = local_only
        self._bridge = Bridge(_bottle(canaries, key))
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


def _bottle(canaries: Canaries, key: str) -> bottle.Bottle:
    app = bottle.Bottle()
    app.uninstall(True)  # Bottle's own JSON and templates: our answers have a form of their own
    app.default_error_handler = answer_http_error
    app.install(JsonAnswers())
    CanaryRoutes(canaries, Gate(key)).mount(app)
    return app
