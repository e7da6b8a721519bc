"""The directory in which the agent of a node and the supervisors of its runs tell each other what they must know.

It has no database, and nothing is flushed to the disk: a machine that crashes has lost its runs anyway.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from coal_mine.domain.errors import Conflict, Invalid

from .cgroups import RunGroup
from .identity import ProcessIdentity
from .orders import CONTROL, is_kill_ordered, make_control, order_kill, order_signal
from .output import OutputReader, segment_name
from .progress import noted_job
from .record import RESULT, Result, Spec, read_result
from .small import write_small
from .surroundings import BELL, FAULT, GROUP, LEASE, RUNS, SPEC, SUPERVISOR
from .tree import kill_remains

_LOCK = "lock"
_LONGEST_NAME = 200
# What a run leaves behind that was short.
_USUAL = (SPEC, SUPERVISOR, CONTROL, RESULT, segment_name(0))
_READ = 1 << 20
# Of the bell, where the system allows it; a line for each of some 20,000 runs.
_BELL_BYTES = 1 << 20
# A bell that refused a line had room left only at the end of each page, for less than a line.
_FULL = 0.9


@dataclass(frozen=True, slots=True)
class Command:
    """The processes of a run, for whoever must do without its directory."""

    job: ProcessIdentity
    group: RunGroup | None

    def kill(self) -> int:
        """How many were killed."""
        return kill_remains(self.job, self.group)


class RunDirectory:
    """One run, as its files tell it. Whoever holds this holds nothing open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.output = OutputReader(path)

    @property
    def spec(self) -> Spec:
        return Spec.from_json((self.path / SPEC).read_text(encoding="utf-8"))

    def exists(self) -> bool:
        """False when somebody else has removed it, such as a cleaner of temporary files. Raises OSError when that cannot be known."""
        try:
            os.stat(self.path)
        except FileNotFoundError:
            return False
        return True

    def supervisor(self) -> ProcessIdentity | None:
        """None before it has begun."""
        text = self._linked(SUPERVISOR)
        return ProcessIdentity.from_text(text) if text else None

    def job(self) -> ProcessIdentity | None:
        """The process of the program itself, or what tries to become it; None before the start and after the end."""
        noted = noted_job(self.path)
        return noted[0] if noted else None

    def started_mono(self) -> float | None:
        """Seconds of the monotonic clock, while there is a job; afterwards the result has it."""
        noted = noted_job(self.path)
        return noted[1] if noted else None

    def is_alive(self) -> bool:
        """Whether a supervisor watches it. If none does and one did, and there is no result, the run is lost."""
        supervisor = self.supervisor()
        return supervisor is not None and supervisor.is_alive()

    def result(self) -> Result | None:
        return read_result(self.path)

    def fault(self) -> str | None:
        """Why the supervisor itself failed, if it did; then there is no result."""
        try:
            return (self.path / FAULT).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def request_kill(self) -> None:
        """Also before it has begun: then it never starts. A directory that has vanished takes no orders."""
        with contextlib.suppress(FileNotFoundError):
            order_kill(self.path)

    def is_kill_requested(self) -> bool:
        return is_kill_ordered(self.path)

    def request_signal(self, number: int) -> bool:
        """To the job's process group; False when nobody listens."""
        return order_signal(self.path, number)

    def command(self) -> Command | None:
        """None before the start and after the end."""
        job = self.job()
        group = self._linked(GROUP)
        return Command(job, RunGroup(group) if group else None) if job else None

    def kill_remains(self) -> int:
        """How many processes of the job were left when its supervisor died, and are killed now."""
        command = self.command()
        return command.kill() if command else 0

    def remove(self) -> None:
        """First what makes it a run, so that a half removed one is none."""
        try:
            for name in _USUAL:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{self.path}/{name}")
            os.rmdir(self.path)
        except OSError:
            shutil.rmtree(self.path, ignore_errors=True)

    def _linked(self, name: str) -> str | None:
        try:
            return os.readlink(self.path / name)
        except FileNotFoundError:
            return None


class Spool:
    """Belongs to one agent at a time. Raises Conflict while another one has it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        (self.path / RUNS).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
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
            raise Invalid(f"{name[:300]!r} cannot be the name of a run's directory")
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
            raise Conflict(f"{self.path} belongs to another node that is running") from None
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
