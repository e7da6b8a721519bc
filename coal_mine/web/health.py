"""/health: is this process well?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import bottle


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Anybody may ask, so it names neither hosts nor paths."""

    fault: str = ""  # this process does not work; a load balancer should send calls elsewhere
    warning: str = ""  # this process does its work, but somebody should look
    details: dict[str, Any] = field(default_factory=dict)


class HealthRoute:
    def __init__(self, examine: Callable[[], Health]) -> None:
        """`examine` must answer at once, without asking the store."""
        self._examine = examine

    def mount(self, app: bottle.Bottle) -> None:
        app.route("/health", ["GET"], self.health)

    def health(self) -> dict[str, Any]:
        health = self._examine()
        if health.fault:
            bottle.response.status = 503
            return {"status": "error", "error": health.fault, **health.details}
        if health.warning:
            return {"status": "degraded", "warning": health.warning, **health.details}
        return {"status": "ok", **health.details}
