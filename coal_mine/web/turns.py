"""Who may work at the moment: few threads at once, so that the event loop, which answers the triggers, need not stand in line with many."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# For how long a thread may keep the interpreter while others want it. Python's default makes the event loop wait for five milliseconds
# for each thread that is before it, several times for each trigger. While nobody works, triggers have the interpreter for themselves.
_SHORT_SECONDS = 0.001
# Threads that work at a time.
_AT_WORK = 4
# Who has waited so long for a turn works without: those before it wait for a store that does not answer, not for the interpreter.
_PATIENCE_SECONDS = 1.0


class Turns:
    def __init__(self, count: int = _AT_WORK, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._patience_seconds = patience_seconds
        self._of_thread = threading.local()
        self._usual_seconds = sys.getswitchinterval()
        self._counting = threading.Lock()
        self._working = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        self._begin()
        try:
            yield
        finally:
            self._end()

    @contextmanager
    def given_away(self) -> Iterator[None]:
        """For a thread that waits for something that takes long; nothing happens when it is not at work, or has done so already."""
        if not getattr(self._of_thread, "is_at_work", False):
            yield
            return
        self._end()
        try:
            yield
        finally:
            self._begin()

    def _begin(self) -> None:
        self._of_thread.has_turn = self._free.acquire(timeout=self._patience_seconds)
        self._of_thread.is_at_work = True
        self._count(1)

    def _end(self) -> None:
        self._count(-1)
        self._of_thread.is_at_work = False
        if self._of_thread.has_turn:
            self._free.release()

    def _count(self, more: int) -> None:
        with self._counting:
            self._working += more
            sys.setswitchinterval(_SHORT_SECONDS if self._working else self._usual_seconds)
