"""One run in the spool."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from coal_mine.node.processes.cgroups import RunGroup
from coal_mine.node.processes.identity import ProcessIdentity, boot_id
from coal_mine.node.processes.tree import kill_remains

from .names import FAULT, GROUP, SPEC, SUPERVISOR
from .orders import CONTROL, order_fence, order_kill, order_signal, why_killed
from .output import segment_name
from .output_reader import OutputReader
from .progress import noted_job
from .record import RESULT, Result, Spec, read_result

# What a run leaves behind that was short.
_USUAL = (SPEC, SUPERVISOR, CONTROL, RESULT, segment_name(0))


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
        """None before it has begun; nobody when it cannot be read who it is: such a run, too, must come to an end."""
        text = self._linked(SUPERVISOR)
        try:
            return ProcessIdentity.from_text(text) if text else None
        except ValueError:
            return ProcessIdentity.nobody(boot_id())

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

    def request_kill(self, why: str = "") -> None:
        """Also before it has begun: then it never starts. A directory that has vanished takes no orders.

        Raises OSError when the order was neither heard nor left for whoever begins later.
        """
        with contextlib.suppress(FileNotFoundError):
            order_kill(self.path, why)

    def request_fence(self) -> None:
        """Like a kill, without any time to end: somebody else may have begun the run anew. Raises OSError as a kill does."""
        with contextlib.suppress(FileNotFoundError):
            order_fence(self.path)

    def why_killed(self) -> str | None:
        """None: nobody has asked for it."""
        return why_killed(self.path)

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
