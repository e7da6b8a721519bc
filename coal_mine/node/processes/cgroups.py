"""A cgroup for each run, where the system lets us make one: no process gets out of it, and the kernel kills all at once."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from .identity import IS_LINUX


@dataclass(frozen=True, slots=True)
class RunGroup:
    path: str

    def enter(self) -> None:
        """The calling process, and all that it will start."""
        self._write("cgroup.procs", "0")

    def kill(self) -> None:
        self._write("cgroup.kill", "1")

    def pids(self) -> list[int]:
        try:
            with open(f"{self.path}/cgroup.procs", encoding="ascii") as file:
                return [int(line) for line in file]
        except OSError:
            return []

    def remove(self) -> None:
        with contextlib.suppress(OSError):  # somebody lives on in it, and it goes the next time
            os.rmdir(self.path)

    def _write(self, name: str, text: str) -> None:
        # It may be refused or gone: the process tree is there as well.
        with contextlib.suppress(OSError), open(f"{self.path}/{name}", "w", encoding="ascii") as file:
            file.write(text)


@dataclass(frozen=True, slots=True)
class GroupMaker:
    """Groups below that of this process, in a directory of their own for each spool."""

    parent: str

    @classmethod
    def where_possible(cls, spool: Path) -> GroupMaker | None:
        base = _own_group() if IS_LINUX else None
        if base is None:
            return None
        parent = base / f"coal-mine-{spool.stat().st_ino}"
        try:
            parent.mkdir(exist_ok=True)
            # What runs that are over have left, and spools that are not used any more. Only empty groups can be removed.
            for left in [*parent.iterdir(), *base.glob("coal-mine-*")]:
                if left.is_dir() and left != parent:
                    RunGroup(str(left)).remove()
        except OSError:
            return None
        return cls(str(parent)) if os.access(parent / "cgroup.kill", os.W_OK) else None

    def make(self, name: str) -> RunGroup | None:
        path = f"{self.parent}/{name}"
        try:
            os.makedirs(path)  # another node may have taken ours for unused
        except OSError:
            return None
        return RunGroup(path)


def _own_group() -> Path | None:
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        groups = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    # Fields: id parent device root mountpoint options ... - type source options
    points = [line.split()[4] for line in mounts if " - cgroup2 " in line]
    own = [line[3:] for line in groups if line.startswith("0::")]
    return Path(points[0] + own[0]) if points and own else None
