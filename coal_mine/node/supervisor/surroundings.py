"""What all supervisors of a node have in common, and inherit from the forker."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass

from coal_mine.node.processes.cgroups import GroupMaker
from coal_mine.node.processes.tree import Kernel

from .person import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    kernel: Kernel
    boot_id: str
    bell: int  # the open FIFO. It is open for reading too, so that writing succeeds while nobody listens
    spool: int  # the open directory
    groups: GroupMaker | None
    person: Person  # as whom a job runs when its spec names nobody

    def ring(self, name: str) -> None:
        with contextlib.suppress(OSError):  # full: the agent then looks at all runs
            os.write(self.bell, os.fsencode(f"{name}\n"))
