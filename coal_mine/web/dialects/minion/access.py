"""Who may call Minion's paths: whoever has the key, also as Minion's later clients send it, as a bcrypt hash of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from coal_mine.domain.errors import Busy, Forbidden, Unauthorized
from coal_mine.services.auth import HashedKey
from coal_mine.web.auth import JobGate, admitted_without_key
from coal_mine.web.callers import Admitted
from coal_mine.web.environ import Environ

# Anybody can send what looks like a hash, and whoever waits for one to be worked out holds one of the server's 64 threads.
_MAX_HASHES = 16


class MinionGate:
    def __init__(
        self, gate: JobGate, hashed_key: HashedKey, waiting: Callable[[], AbstractContextManager[None]], *, most: int = _MAX_HASHES
    ) -> None:
        """`waiting` is entered for what takes long, so that others may work meanwhile."""
        self._gate = gate
        self._hashed_key = hashed_key
        self._waiting = waiting
        self._hashes = threading.BoundedSemaphore(most)

    def admit(self, environ: Environ) -> Admitted:
        """The body is not looked at. Raises Unauthorized and Forbidden, and Busy rather than wait behind many."""
        try:
            return self._gate.admit(environ)
        except (Unauthorized, Forbidden):
            if not self._admits_hash(environ.get("HTTP_X_AUTH_TOKEN", "")):
                raise
        return admitted_without_key(environ)

    def _admits_hash(self, token: str) -> bool:
        if not token.startswith("$2"):
            return False
        if not self._hashes.acquire(blocking=False):
            raise Busy("too many hashes of keys are being checked at this moment: try again, or send the key itself")
        try:
            with self._waiting():
                return self._hashed_key.is_given_by(token)
        finally:
            self._hashes.release()
