"""The directory in which the agent of a node and the supervisors of its runs tell each other what they must know.

It has no database, and nothing is flushed to the disk: a machine that crashes has lost its runs anyway.
"""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path
from typing import IO

from coal_mine.node.processes.small import write_small

from .directory import RunDirectory
from .names import BELL, LEASE, RUNS, SPEC
from .orders import make_control
from .ownership import claim_directory
from .record import Spec

_LOCK = "lock"
_LONGEST_NAME = 200
_READ = 1 << 20
# Of the bell, where the system allows it; a line for each of some 20,000 runs.
_BELL_BYTES = 1 << 20
# A bell that refused a line had room left only at the end of each page, for less than a line.
_FULL = 0.9


class SpoolTaken(Exception):
    """Another agent has it, and is running."""


class Spool:
    """Belongs to one agent at a time. Raises SpoolTaken while another one has it, and SpoolUnsafe when others could change it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        claim_directory(self.path.parent, shared=True)
        claim_directory(self.path)
        self.path.chmod(0o700)
        claim_directory(self.path / RUNS)
        self._lock = self._take_lock()
        self._bell = self._open_bell()
        self._bell_bytes = _enlarge(self._bell)
        self._rest = b""

    def close(self) -> None:
        os.close(self._bell)
        self._lock.close()

    def fileno(self) -> int:
        """Of the bell: readable when some run has begun, produced output or ended."""
        return self._bell

    def heard(self) -> frozenset[str] | None:
        """The names of the runs that rang since the last call; None when the bell was full: then any run may have."""
        data = self._drain()
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(data) >= _FULL * self._bell_bytes:
            return None
        return frozenset(os.fsdecode(line) for line in lines)

    def renew_lease(self, until_mono: float) -> None:
        """Fenced runs may go on until then, in seconds of the monotonic clock."""
        fresh = self.path / f"{LEASE}.new"
        fresh.write_text(repr(until_mono), encoding="ascii")
        fresh.rename(self.path / LEASE)

    def create(self, name: str, spec: Spec) -> RunDirectory:
        """Nothing runs yet: the forker starts it."""
        run = self.run(name)
        os.mkdir(run.path, 0o700)
        try:
            make_control(run.path)
            fresh = f"{run.path}/{SPEC}.new"
            write_small(fresh, spec.to_json().encode())
            os.rename(fresh, run.path / SPEC)
        except BaseException:  # half of it would stay until the next start
            run.remove()
            raise
        return run

    def run(self, name: str) -> RunDirectory:
        if not name or name.startswith(".") or "/" in name or "\n" in name or "\0" in name or len(os.fsencode(name)) > _LONGEST_NAME:
            raise ValueError(f"{name[:300]!r} cannot be the name of a run's directory")
        return RunDirectory(self.path / RUNS / name)

    def runs(self) -> list[RunDirectory]:
        """All that were created and not removed, as a new agent finds them. What a dead one left half made is removed."""
        found = [RunDirectory(path) for path in sorted((self.path / RUNS).iterdir())]
        for run in found:
            if not (run.path / SPEC).exists():
                run.remove()
        return [run for run in found if run.path.exists()]

    def _take_lock(self) -> IO[str]:
        lock = (self.path / _LOCK).open("w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise SpoolTaken(f"{self.path} belongs to another node that is running") from None
        return lock

    def _open_bell(self) -> int:
        path = self.path / BELL
        if not path.exists():
            os.mkfifo(path, 0o600)
        # For writing too: it is then never at its end, and a supervisor that rings always finds a listener.
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def _drain(self) -> bytes:
        parts = []
        try:
            while part := os.read(self._bell, _READ):
                parts.append(part)
        except BlockingIOError:
            pass
        return b"".join(parts)


def _enlarge(bell: int) -> int:
    """How many bytes it holds."""
    if sys.platform != "linux":
        return 1 << 14
    try:
        return fcntl.fcntl(bell, fcntl.F_SETPIPE_SZ, _BELL_BYTES)
    except PermissionError:
        return fcntl.fcntl(bell, fcntl.F_GETPIPE_SZ)
