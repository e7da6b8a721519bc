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


class Turns:
    def __init__(self, count: int = _AT_WORK) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._of_thread = threading.local()
        self._usual_seconds = sys.getswitchinterval()
        self._counting = threading.Lock()
        self._working = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        with self._free:
            self._count(1)
            self._of_thread.has_one = True
            try:
                yield
            finally:
                self._of_thread.has_one = False
                self._count(-1)

    @contextmanager
    def given_away(self) -> Iterator[None]:
        """For a thread that waits for something that takes long; nothing happens when it has none, or has given it away already."""
        if not getattr(self._of_thread, "has_one", False):
            yield
            return
        self._of_thread.has_one = False
        self._count(-1)
        self._free.release()
        try:
            yield
        finally:
            self._free.acquire()
            self._count(1)
            self._of_thread.has_one = True

    def _count(self, more: int) -> None:
        with self._counting:
            self._working += more
            sys.setswitchinterval(_SHORT_SECONDS if self._working else self._usual_seconds)
