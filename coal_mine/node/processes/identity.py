"""Which process: pids are used again, so a pid alone says nothing."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from time import monotonic as monotonic  # noqa: TID251 - coal_mine.clock would bring the whole domain into each supervisor

from .small import read_small

# Everywhere else there is no /proc, no subreaper and no cgroup, and what needs them is left out. Untested there.
IS_LINUX = sys.platform == "linux"


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """A line of /proc/<pid>/stat, as far as we need it."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    started: int  # ticks of the kernel since the machine started

    @property
    def is_dead(self) -> bool:
        return self.state in "ZX"


def stat_of(pid: int | str) -> ProcessStat | None:
    try:
        line = read_small(f"/proc/{pid}/stat")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in brackets, may contain anything, brackets too.
    rest = line[line.rindex(b")") + 2 :].split()
    parent, group, session = (int(number) for number in rest[1:4])
    return ProcessStat(int(line[: line.index(b" ")]), rest[0].decode(), parent, group, session, int(rest[19]))


def boot_id() -> str:
    """Changes with each start of the machine."""
    if not IS_LINUX:
        return "-"
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """No two processes have the same, whenever they lived."""

    pid: int
    started: int
    boot_id: str

    @classmethod
    def of(cls, pid: int, boot: str) -> ProcessIdentity:
        stat = stat_of(pid) if IS_LINUX else None
        return cls(pid, stat.started if stat else 0, boot)

    @classmethod
    def nobody(cls, boot: str) -> ProcessIdentity:
        """Who never lived."""
        return cls(0, 0, boot)

    @classmethod
    def from_text(cls, text: str) -> ProcessIdentity:
        """Raises ValueError."""
        pid, started, boot = text.split(" ")[:3]
        return cls(int(pid), int(started), boot)

    def to_text(self) -> str:
        return f"{self.pid} {self.started} {self.boot_id}"

    def is_alive(self) -> bool:
        if self.pid == 0:
            return False
        if not IS_LINUX:
            return _answers(self.pid)
        stat = stat_of(self.pid)
        return stat is not None and stat.started == self.started and not stat.is_dead and self.boot_id == boot_id()


def send(process: ProcessStat, number: int) -> bool:
    """To exactly this process and to none that got its pid afterwards; False when it is gone."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        now = stat_of(process.pid)
        if now is None or now.started != process.started:
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    else:
        return True
    finally:
        os.close(handle)


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
