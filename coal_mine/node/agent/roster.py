"""What this node runs at the moment, and what room is left."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from coal_mine.domain.job import OnLost
from coal_mine.domain.node import Node
from coal_mine.domain.output import Chunk
from coal_mine.domain.run import Run, RunChange
from coal_mine.node.spool.directory import Command, RunDirectory


@dataclass(slots=True)
class Tracked:
    """A run with its directory. Only the reporter changes it."""

    run: Run  # as the store has it, as far as we know
    directory: RunDirectory
    position: int = 0  # of the output that is stored
    dropped_to: int = 0  # the middle of a long output is deleted up to there
    tail_stored_at: datetime | None = None
    unsure: tuple[Chunk, ...] = ()  # output on its way into the store: until that is known to have it, it is written again like this
    end: RunChange | None = None  # on its way into the store: until that is known to have it, it is written again like this
    command: Command | None = None  # once it was seen, so that it can be killed without the directory
    is_unreadable: bool = False  # the directory is, and the log has it
    disowned: bool = False  # the run has passed to somebody else, or is over: nothing of it counts any more

    def fence(self) -> None:
        """The lease under which it was claimed is over. Then its supervisor has ended a run that may begin elsewhere, unless it was asleep
        with the whole machine; it would wake up in the next lease and go on.

        What it ended with may have been before, and nobody may have begun it anew. So its end is told, and the store takes it or not.
        """
        if self.run.definition.on_lost is OnLost.RERUN:
            self.directory.request_fence()

    def disown(self) -> None:
        """What is run again when it is lost may be under way elsewhere. Anything else has the time to end that its job allows."""
        if self.run.definition.on_lost is OnLost.RERUN:
            self.directory.request_fence()
        else:
            self.directory.request_kill()
        self.disowned = True  # at last: an order that cannot be given now is given when this is called again

    def is_of(self, claim: Run) -> bool:
        """Whether it belongs to that very claim of its run."""
        return (self.run.epoch, self.run.nonce) == (claim.epoch, claim.nonce)


class Roster:
    """Shared by the threads of one node."""

    def __init__(self, slots: int, cpus: float, mem: float) -> None:
        """Zero cpus or MB of memory: not counted."""
        self._slots = slots
        self._cpus = cpus
        self._mem = mem
        self._tracked: dict[str, Tracked] = {}
        self._lock = threading.Lock()

    def add(self, tracked: Tracked) -> None:
        with self._lock:
            self._tracked[tracked.directory.name] = tracked

    def remove(self, tracked: Tracked) -> None:
        with self._lock:
            self._tracked.pop(tracked.directory.name, None)

    def all(self) -> list[Tracked]:
        with self._lock:
            return list(self._tracked.values())

    def named(self, names: Collection[str]) -> list[Tracked]:
        """By directory."""
        with self._lock:
            return [tracked for name in names if (tracked := self._tracked.get(name))]

    def fence(self) -> None:
        for tracked in self.all():
            tracked.fence()

    def of(self, run_id: str) -> Tracked | None:
        return next((tracked for tracked in self.all() if tracked.run.id == run_id and not tracked.disowned), None)

    def __len__(self) -> int:
        return len(self._tracked)

    def may_ever_fit(self, run: Run, node: Node) -> bool:
        """Whether the node may run it, and has room for it when nothing else is under way."""
        wanted = run.definition
        fits = (not self._cpus or wanted.cpus <= self._cpus) and (not self._mem or wanted.mem <= self._mem)
        return fits and node.may_run(wanted)

    def fitting(self, runs: Iterable[Run], node: Node, most: int) -> list[Run]:
        """Of these, in their order, those for which there is room now, and which the node may run."""
        live = [tracked.run for tracked in self.all()]
        free = min(self._slots - len(live), most)
        cpus, mem = (sum(getattr(run.definition, name) for run in live) for name in ("cpus", "mem"))
        found = []
        for run in runs:
            if free <= 0:
                break
            wanted = run.definition
            fits = (not self._cpus or cpus + wanted.cpus <= self._cpus) and (not self._mem or mem + wanted.mem <= self._mem)
            if fits and node.may_run(wanted):
                found.append(run)
                free, cpus, mem = free - 1, cpus + wanted.cpus, mem + wanted.mem
        return found
