"""What jobs, runs and nodes need of a store; see ports.py for what holds for all of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .job import Job
from .key import Key
from .node import Node, Switches
from .output import Chunk
from .run import Outcome, Run, RunChange, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs to list; None does not filter. All that are given must match."""

    namespace: tuple[str, ...] | None = None  # and all below it; () is everything
    tag: str | None = None
    pool: str | None = None
    enabled: bool | None = None
    name: str | None = None  # exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedJob:
    """What is needed to find out whether a job's canary knows of the job's latest change."""

    id: str
    version: int
    canary_id: str
    changed_at: datetime


class JobStore(Protocol):
    def add(self, job: Job) -> None:
        """Raises Conflict when a job with this id exists."""

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""

    def find(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Those that exist, by id."""

    def versions(self, job_ids: Collection[str]) -> dict[str, int]:
        """As `find`, the versions only: asked for every run that is about to start."""

    def select(self, wanted: JobFilter, *, after: str = "", limit: int) -> list[Job]:
        """The first so many by id whose ids sort behind `after`. Ids sort by their bytes."""

    def count(self, wanted: JobFilter) -> int:
        """How many `select` would find without a limit."""

    def tags(self) -> list[str]:
        """All tags of all jobs, each once, sorted."""

    def replace(self, before: Job, after: Job) -> bool:
        """Write all fields but id and created_at, if it still is the same job, as `created_at` tells, in the version of `before`.

        False: it is not. Raises NotFound.
        """

    def remove(self, job: Job) -> Job | None:
        """Delete it under the condition of `replace`; what it was then. None: it is another one. Its runs stay. Raises NotFound."""

    def to_plan(self, until: datetime, *, limit: int) -> list[Job]:
        """Those whose `next_at` is not later, the earliest first. One that cannot be read is logged and left out, for the others' sake."""

    def changed(self, after: tuple[datetime, str], *, limit: int) -> list[ChangedJob]:
        """By `changed_at` and id, those that come behind these two."""

    def planned(self, plans: Sequence[tuple[Job, datetime | None]]) -> int:
        """Move each job's `next_at` to the given time, if version and `next_at` still are as in the job; how many were moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list; None does not filter."""

    job_id: str | None = None
    states: frozenset[RunState] | None = None
    node: str | None = None
    since: datetime | None = None  # of the tick
    until: datetime | None = None  # the tick is before it


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedFilter:
    """Which runs that have ended, and that a node had taken; None does not filter."""

    job_id: str | None = None
    since: datetime | None = None  # of the end
    until: datetime | None = None  # the end is before it


class RunStore(Protocol):
    def add(self, runs: Sequence[Run]) -> int:
        """Store those whose id is new; how many were.

        One that exists, is queued, was never claimed (its epoch is 0), is no manual one and was planned by an older version of the job is
        replaced, and counts as new. All others stay as they are: another planner was faster.
        """

    def change(self, changes: Sequence[RunChange]) -> list[Outcome]:
        """Each by itself and atomically; see RunChange. The outcomes in the same order.

        Only the changed fields are written. A change whose `after` has the state, epoch, nonce and ended_at that the store already has
        counts as WON: the same change was written before, and its answer was lost. One that ends the run at another time is LOST: only the
        winner tells of the end. A run that no longer exists is LOST. Two changes may not be of one run.
        """

    def get(self, run_id: str) -> Run:
        """Raises NotFound."""

    def find(self, run_ids: Collection[str]) -> dict[str, Run]:
        """Those that exist, by id."""

    def select(self, wanted: RunFilter, *, before: tuple[datetime, str] | None = None, limit: int) -> list[Run]:
        """The newest ticks first, equal ones by id, highest first; only those that come behind the (tick, id) of `before`."""

    def keys(self, wanted: RunFilter, *, limit: int) -> list[Key[RunState]]:
        """Of what `select` would find no more than this; `at` is the tick."""

    def latest(self, job_ids: Collection[str]) -> dict[str, Run]:
        """Of each job the newest run that is no longer queued for the first time (its epoch is 0 then), if there is one."""

    def ended(self, wanted: EndedFilter, *, limit: int) -> list[Key[RunState]]:
        """Those that ended last first, those of one time by id, highest first; `at` is the end."""

    def last_ended(self, job_ids: Collection[str]) -> dict[str, Run]:
        """Of each job the first of `ended`, if there is one."""

    def due(self, until: datetime, *, node: Node | None, limit: int) -> list[Run]:
        """Waiting runs to be started at that time or earlier: by due_at, then the highest priority, then id.

        With a node, those whose slot is ANY or the node's name, and whose pools have one of the node's. Those for whose runner it has no
        section may be among them, or not.
        """

    def overdue(self, now: datetime, *, limit: int) -> list[Run]:
        """Waiting runs whose `start_by` is not later than now, the earliest first."""

    def live_on(self, node: str) -> list[Run]:
        """Claimed, running and unreachable runs of that node, by id."""

    def live_nodes(self) -> list[str]:
        """The names of all nodes that have live runs."""

    def live_of(self, job_id: str) -> list[Run]:
        """Claimed, running and unreachable runs of that job, and retrying ones, which hold their locks; by id."""

    def waiting_of(self, job_id: str) -> list[Run]:
        """Queued and retrying runs of that job, by tick and id."""

    def of_tick(self, job_id: str, tick: datetime) -> list[Run]:
        """By slot."""

    def order(self, run_id: str, order: str) -> bool:
        """Append to the orders of a live run. False: it is not live, nothing was written. Raises NotFound."""

    def ordered_on(self, node: str) -> list[Run]:
        """Live runs of that node that have orders, by id."""

    def take_order(self, run: Run, order: str) -> bool:
        """Remove the first of the run's orders, if it is this one. False: somebody else has."""

    def owing(self, before: datetime, *, limit: int) -> list[Run]:
        """Runs with `owed` whose latest of claimed_at, ended_at and created_at is before that time; in any order."""

    def settled(self, runs: Collection[Run]) -> None:
        """Clear `owed` of each that still has the state and epoch it has here."""

    def withdraw(self, job_id: str, *, below: int, after: datetime) -> int:
        """Delete queued runs that are no manual ones, were never claimed, are of versions below that one and have later ticks; how many."""

    def forget(self, before: datetime, *, limit: int) -> int:
        """Delete at most so many ended runs, with their output, that ended before that time; how many."""


class NodeStore(Protocol):
    def beat(self, node: Node) -> Node:
        """Write all that the node announces; as it is stored then, with the operators' wish and what they were told.

        Raises Conflict, naming the holder, when a node of this name with another `boot` was seen within LEASE before this one's `seen_at`.
        """

    def end(self, name: str, boot: str, *, keeps_lease: bool = False) -> None:
        """The node stops cleanly, and stays registered. It counts as not seen for LEASE, unless its runs go on and it keeps its lease.

        No effect when another boot has the name, when nobody has it, or when repeated.
        """

    def note_stopped(self, name: str, after: datetime) -> None:
        """Raise `stopped_after` to that time. No effect on a node that is forgotten."""

    def note_resumed(self, name: str, after: datetime) -> None:
        """Raise `resumed_after` to that time. No effect on a node that is forgotten."""

    def all(self) -> list[Node]:
        """By name."""

    def get(self, name: str) -> Node:
        """Raises NotFound."""

    def set_draining(self, name: str, *, draining: bool) -> Node:
        """Raises NotFound."""

    def remove(self, name: str) -> None:
        """Forget it. Raises NotFound."""

    def switches(self) -> Switches: ...

    def switch_execution(self, *, enabled: bool) -> bool:
        """Was it enabled before? Of two who switch at once, the second is told what the first has done."""

    def pause_pool(self, pool: str, *, paused: bool) -> Switches:
        """What is switched off then."""


class OutputStore(Protocol):
    """What runs have written. A chunk is added once and never changed; the middle ones of a run that writes too much are dropped again."""

    def add(self, chunks: Sequence[Chunk]) -> None:
        """What is there already, by run, attempt and offset, stays as it is."""

    def drop(self, run_id: str, attempt: int, *, start: int, end: int) -> None:
        """Delete the chunks that lie wholly between these offsets."""

    def end(self, run_id: str, attempt: int) -> int:
        """Behind which offset nothing is; 0 when nothing was written."""

    def read(self, run_id: str, attempt: int, *, offset: int, limit: int) -> list[Chunk]:
        """Chunks that end behind `offset`, in order, until they hold `limit` bytes or there are no more; at least one if there is one."""
