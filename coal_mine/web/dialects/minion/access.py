"""Who may call Minion's paths: whoever has the key, also as Minion's later clients send it, as a bcrypt hash of it."""

from __future__ import annotations

from collections.abc import Callable

from coal_mine.domain.errors import Forbidden, Unauthorized
from coal_mine.web.auth import JobGate
from coal_mine.web.environ import Environ


class MinionGate:
    def __init__(self, gate: JobGate, is_hash_of_key: Callable[[str], bool]) -> None:
        self._gate = gate
        self._is_hash_of_key = is_hash_of_key

    def admits(self, environ: Environ) -> bool:
        """The body is not looked at."""
        try:
            self._gate.admit(environ)
        except (Unauthorized, Forbidden):
            return self._is_hash_of_key(environ.get("HTTP_X_AUTH_TOKEN", ""))
        return True
