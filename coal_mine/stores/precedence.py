"""What goes first when much is to be done at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

# Whoever is stuck longer than this is not waited for.
_MARKING_SECONDS = 5.0
_LOOK_SECONDS = 0.5


class Precedence:
    """In one process, marking canaries late goes before the expansion of what they owe.

    In a storm the expansion would take half the machine from the marking, and tear digests apart by seeing a part of what is being marked.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def marking(self) -> AbstractContextManager[None]:
        """Hold this while canaries are marked."""
        return self._soon(_LOOK_SECONDS)

    def expanding(self) -> AbstractContextManager[None]:
        """Hold this, briefly, to see what is owed. It waits for the marking under way, but hardly ever for the next one."""
        return self._soon(_MARKING_SECONDS)

    @contextmanager
    def _soon(self, seconds: float) -> Iterator[None]:
        """Hold the lock if it can be had so soon; otherwise go on without it."""
        is_held = self._lock.acquire(timeout=seconds)
        try:
            yield
        finally:
            if is_held:
                self._lock.release()
