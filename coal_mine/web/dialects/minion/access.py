"""Who may call Minion's paths: whoever has the key, also as Minion's later clients send it, as a bcrypt hash of it."""

from __future__ import annotations

from coal_mine.domain.errors import Forbidden, Unauthorized
from coal_mine.services.auth import HashedKey
from coal_mine.web.auth import JobGate
from coal_mine.web.environ import Environ


class MinionGate:
    def __init__(self, gate: JobGate, hashed_key: HashedKey) -> None:
        self._gate = gate
        self._hashed_key = hashed_key

    def admits(self, environ: Environ) -> bool:
        """The body is not looked at."""
        try:
            self._gate.admit(environ)
        except (Unauthorized, Forbidden):
            return self._hashed_key.is_given_by(environ.get("HTTP_X_AUTH_TOKEN", ""))
        return True
