"""What the agent may ask of a supervisor: lines in a FIFO of the run's directory.

No socket, because the paths of sockets must be short.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from coal_mine.node.processes.small import write_small

CONTROL = "control"
# The first two are also files, left beside the FIFO for a supervisor that has not opened it yet.
_KILL = "kill"
_FENCE = "fence"
_SIGNAL = "signal"


class Orders:
    """The supervisor's side, in the run's directory."""

    def __init__(self, on_kill: Callable[[], None], on_fence: Callable[[], None], on_signal: Callable[[int], None]) -> None:
        self._on_kill = on_kill
        self._on_fence = on_fence
        self._on_signal = on_signal
        # Open for writing too: otherwise each agent that closes its side would be an end of the file.
        self.fileno = os.open(CONTROL, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def was_kill_ordered(self) -> bool:
        return os.path.exists(_KILL)

    def was_fence_ordered(self) -> bool:
        return os.path.exists(_FENCE)

    def hear(self) -> None:
        for line in os.read(self.fileno, 4096).decode(errors="replace").splitlines():
            word, _, number = line.partition(" ")
            if word == _KILL:
                self._on_kill()
            elif word == _FENCE:
                self._on_fence()
            elif word == _SIGNAL and number.isdecimal():
                self._on_signal(int(number))


def make_control(directory: Path) -> None:
    os.mkfifo(directory / CONTROL, 0o600)


def order_kill(directory: Path, why: str) -> None:
    _order(directory, _KILL, why)


def why_killed(directory: Path) -> str | None:
    """What the first order said; None: there was none."""
    try:
        return (directory / _KILL).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def order_fence(directory: Path) -> None:
    _order(directory, _FENCE)


def order_signal(directory: Path, number: int) -> bool:
    """False when nobody listens, before the start and after the end."""
    return _tell(directory, f"{_SIGNAL} {int(number)}")


def _order(directory: Path, word: str, why: str = "") -> None:
    """Raises OSError when nobody hears it and nobody will find it: then it must be said again."""
    try:
        _leave(f"{directory}/{word}", why)
    except OSError:
        if not _tell(directory, word):
            raise
    else:
        _tell(directory, word)


def _leave(path: str, why: str) -> None:
    try:
        write_small(path, why.encode())
    except FileExistsError:
        pass  # ordered before
    except OSError:
        if not os.path.exists(path):
            raise  # neither inodes nor descriptors are left, or the directory has vanished
        # The disk is full: the order is there, without its reason.


def _tell(directory: Path, line: str) -> bool:
    try:
        control = os.open(directory / CONTROL, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(control, f"{line}\n".encode())
    except OSError:
        return False
    finally:
        os.close(control)
    return True
