"""/health: is this process well?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .responses import Answer, NotAllowed, json_answer


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

    def is_for(self, path: str) -> bool:
        return path == "/health"

    def answer(self, method: str) -> Answer:
        if method not in ("GET", "HEAD"):
            raise NotAllowed(method, "GET")
        health = self._examine()
        if health.fault:
            return json_answer({"status": "error", "error": health.fault, **health.details}, 503)
        if health.warning:
            return json_answer({"status": "degraded", "warning": health.warning, **health.details})
        return json_answer({"status": "ok", **health.details})
