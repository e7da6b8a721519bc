"""A process that only runs jobs, and what can be seen of its runs from outside the store."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coal_mine.node.spool.directory import RunDirectory
from tests.support.background import Background
from tests.support.server import CoalMine
from tests.support.waiting import until


class NodeProcess(Background):
    """`coal-mine --node` with that name. What it leaves running when it is killed, the end of the block ends."""

    def __init__(self, directory: Path, name: str, *, ini: str, pools: str = "default", environ: dict[str, str] | None = None) -> None:
        CoalMine.__init__(self, directory, "--node", ini=f"{ini}[node]\nname = {name}\npools = {pools}\n", environ=environ)
        self.name = name
        self.spool = directory / "state" / "coal-mine" / "nodes" / name

    def __exit__(self, *error: object) -> None:
        if self.runs_now:
            os.kill(self.pid, signal.SIGCONT)
            self.stop()
        for run in self.directories():
            run.request_kill()
        until(
            f"the end of what node {self.name} ran", lambda: not any(run.is_alive() and run.result() is None for run in self.directories())
        )

    @property
    def runs_now(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def directories(self) -> list[RunDirectory]:
        """Of runs that are in its spool; half made ones too."""
        runs = self.spool / "runs"
        return [RunDirectory(path) for path in sorted(runs.iterdir())] if runs.is_dir() else []

    def kill(self) -> None:
        """kill -9 of the agent; its runs go on."""
        self.stop(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP; returns when no thread of it can do anything any more."""
        os.kill(self.pid, signal.SIGSTOP)
        until("a frozen agent", self._is_frozen)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def _is_frozen(self) -> bool:
        states = [(task / "stat").read_text().rpartition(") ")[2][0] for task in Path(f"/proc/{self.pid}/task").iterdir()]
        return set(states) == {"T"}
