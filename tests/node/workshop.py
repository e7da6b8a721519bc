"""A spool and a forker as an agent has them, and waiting for what runs do."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from coal_mine.node.agent.forker import Forker
from coal_mine.node.spool.directory import RunDirectory
from coal_mine.node.spool.frames import Frame, Stream
from coal_mine.node.spool.record import Result, Spec
from coal_mine.node.spool.spool import Spool
from tests.support.waiting import PATIENCE

T = TypeVar("T")


class Workshop:
    def __init__(self, path: Path, *, cgroups: bool = True) -> None:
        self.spool = Spool(path)
        self.forker = Forker(self.spool, cgroups=cgroups)
        self._numbers = count(1)

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """No test leaves processes behind."""
        for run in self.spool.runs():
            if run.result() is None and run.is_alive():
                run.request_kill()
                self.until("the end of a run", lambda run=run: run.result() or not run.is_alive())
            run.kill_remains()
        self.forker.close()
        self.spool.close()

    def create(self, *argv: str, **spec: Any) -> RunDirectory:
        number = next(self._numbers)
        return self.spool.create(f"run-{number}", Spec(run_id=f"run {number}", argv=argv, **spec))

    def start(self, *argv: str, **spec: Any) -> RunDirectory:
        run = self.create(*argv, **spec)
        self.forker.start([run])
        return run

    def shell(self, text: str, **spec: Any) -> RunDirectory:
        return self.start("/bin/sh", "-c", text, **spec)

    def python(self, text: str, *arguments: str, **spec: Any) -> RunDirectory:
        return self.start(sys.executable, "-I", "-S", "-c", text, *arguments, **spec)

    def until(self, what: str, look: Callable[[], T]) -> T:
        """Looks whenever the bell rings."""
        end = time.monotonic() + PATIENCE
        while not (found := look()):
            # Not all that tests wait for rings the bell.
            select.select([self.spool], [], [], 0.05)
            self.spool.heard()
            self.forker.tend()
            assert time.monotonic() < end, f"waited in vain for {what}"
        return found

    def result_of(self, run: RunDirectory) -> Result:
        def look() -> Result | None:
            assert run.fault() is None, run.fault()
            return run.result()

        found = self.until(f"the result of {run.name}", look)
        assert found is not None
        return found

    def line_of(self, run: RunDirectory, text: str = "ready\n") -> None:
        """Wait until the job has said so."""
        self.until(f"{text!r} of {run.name}", lambda: text.encode() in output_of(run))

    def ended(self, *argv: str, **spec: Any) -> tuple[Result, bytes]:
        """How it ends, and what it writes to both streams."""
        run = self.start(*argv, **spec)
        return self.result_of(run), output_of(run)

    def ended_shell(self, text: str, **spec: Any) -> tuple[Result, bytes]:
        return self.ended("/bin/sh", "-c", text, **spec)


def frames_of(run: RunDirectory) -> list[Frame]:
    found: list[Frame] = []
    position = 0
    while (piece := run.output.read(position)).frames or piece.dropped:
        found.extend(piece.frames)
        position = piece.position
    return found


def joined(frames: Iterable[Frame], *streams: Stream) -> bytes:
    return b"".join(frame.data for frame in frames if frame.stream in (streams or Stream))


def output_of(run: RunDirectory, *streams: Stream) -> bytes:
    return joined(frames_of(run), *streams)


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


def is_root() -> bool:
    return os.geteuid() == 0


@contextmanager
def mounted(path: Path, options: str) -> Iterator[Path]:
    """A file system in memory. Only root can mount; for others it is a directory like any other, in which the same must hold."""
    path.mkdir()
    if not is_root():
        yield path
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
