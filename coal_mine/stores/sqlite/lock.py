"""One server process per file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from coal_mine.domain.errors import Conflict


def lock(path: Path) -> int:
    """Take the file for this process and those that it forks, for as long as one of them lives; returns the descriptor that holds it.

    Raises Conflict when another server has it. Leaves a small file beside the database.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode().strip() or "unknown"
        os.close(descriptor)
        raise Conflict(f"{path} is in use by another coal-mine server (process {holder}); only one may open it") from error
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
