"""Signals, as bytes in a pipe: whoever polls it misses none, and nothing is interrupted."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

_ENDS = (signal.SIGTERM, signal.SIGINT)


class Wakeup:
    def __init__(self, on_child: Callable[[], None], on_end: Callable[[], None]) -> None:
        self._on_child = on_child
        self._on_end = on_end
        self.fileno, writing = os.pipe()
        for end in (self.fileno, writing):
            os.set_blocking(end, False)
        # A full pipe loses nothing: the first byte is enough to look at all children, and to end is asked for again.
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, *_ENDS):
            signal.signal(number, _nothing)

    def hear(self) -> None:
        numbers = set(os.read(self.fileno, 4096))
        if numbers.intersection(_ENDS):
            self._on_end()
        self._on_child()


def _nothing(number: int, frame: object) -> None:
    """The byte in the pipe says it all, but without a handler there would be none."""
