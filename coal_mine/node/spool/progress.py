"""Where a run is: one file, which names the job's process while it lives and becomes the result at the end.

It is one file because making files is a good part of what a short run costs.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from coal_mine.node.processes.identity import ProcessIdentity
from coal_mine.node.processes.small import read_small

PROGRESS = "progress"
# As long as most results, so that a full disk, which has room for no more bytes, has room for the result.
_RESERVED = 1024


def note_job(job: ProcessIdentity, started: float) -> None:
    """Whoever finds the job without its supervisor knows it by this."""
    with contextlib.suppress(OSError):  # full: then the result waits until there is room
        write_progress(f"{job.to_text()} {started}".ljust(_RESERVED).encode())


def noted_job(directory: Path) -> tuple[ProcessIdentity, float] | None:
    """The job and when it started, in seconds of the monotonic clock; None before the start and after the end."""
    try:
        text = read_small(f"{directory}/{PROGRESS}").decode()
        return ProcessIdentity.from_text(text), float(text.split()[3])
    except (FileNotFoundError, ValueError, IndexError):
        return None  # ValueError, IndexError: being written, by a start or an end


def write_progress(text: bytes) -> None:
    """In place: so the disk needs no more room."""
    file = os.open(PROGRESS, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.write(file, text) < len(text):
            raise OSError(errno.ENOSPC, "only a part was written")
        os.ftruncate(file, len(text))
    finally:
        os.close(file)
