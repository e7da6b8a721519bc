"""The WSGI application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bottle

from coal_mine.services.canaries import Canaries

from .auth import Gate, LocalHostsOnly
from .canaries import CanaryRoutes
from .environ import Environ
from .health import Health, HealthRoute
from .responses import JsonAnswers, answer_http_error, refuse_odd_path


def build_app(canaries: Canaries, *, key: str, local_only: bool, examine: Callable[[], Health]) -> Callable[[Environ, Any], Any]:
    """An empty `key` asks for none; `examine` says how the process is, at once and without asking the store."""
    app = bottle.Bottle()
    app.uninstall(True)  # Bottle's own JSON and templates: our answers have a form of their own
    app.default_error_handler = answer_http_error
    app.add_hook("before_request", refuse_odd_path)
    app.install(JsonAnswers())
    if local_only:
        app.install(LocalHostsOnly())
    CanaryRoutes(canaries, Gate(key)).mount(app)
    HealthRoute(examine).mount(app)
    return app  # type: ignore[no-any-return]  # Bottle has no types
