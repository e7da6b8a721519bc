"""Signals, as bytes in a pipe: whoever polls it misses none, and nothing is interrupted."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

ENDS = frozenset({signal.SIGTERM, signal.SIGINT})


class Wakeup:
    """Of a supervisor: its children have ended, or somebody wants it to end."""

    def __init__(self) -> None:
        self.fileno, writing = os.pipe()
        for end in (self.fileno, writing):
            os.set_blocking(end, False)
        # A full pipe loses nothing: the first byte is enough to look at all children, and to end is asked for again.
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, *ENDS):
            signal.signal(number, _nothing)

    def hear(self) -> bytes:
        """The numbers of the signals that came."""
        try:
            return os.read(self.fileno, 4096)
        except BlockingIOError:
            return b""


@contextmanager
def signals_held() -> Iterator[None]:
    """Around a fork: what comes before the new process is somebody else waits, where a handler of ours would swallow it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD, *ENDS))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGCHLD, *ENDS))


def _nothing(number: int, frame: object) -> None:
    """The byte in the pipe says it all, but without a handler there would be none."""
