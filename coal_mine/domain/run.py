"""The run: what became of one tick on one slot. Each change of its state is a pure function of (run, event, now)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from zlib import crc32

from .definition import definition_as_text, definition_from_text
from .job import SHAKEN, CatchUpPolicy, Definition, Job, OnLost, Pairs, Retries
from .times import to_millis

# The slot of a run that any node of the pools may take; else it is the name of the one node.
ANY = "any"
# How the reason begins when the overlap policy skipped a run.
OVERLAP = "an earlier run is still under way"


class RunState(StrEnum):
    QUEUED = "queued"  # waits for its time, or for a node
    CLAIMED = "claimed"  # a node has taken it and is about to start it
    RUNNING = "running"
    RETRYING = "retrying"  # an attempt has failed, and the next one waits for its time
    UNREACHABLE = "unreachable"  # nothing is heard of its node; it may be running
    DONE = "done"
    FAILED = "failed"
    KILLED = "killed"  # by a person, or to make way for a newer run; nothing of it is left
    LOST = "lost"  # it was started, and nobody will ever know how it ended
    MISSED = "missed"  # nobody has started it in time
    SKIPPED = "skipped"  # on purpose: by a policy, or by an operator


WAITING = frozenset({RunState.QUEUED, RunState.RETRYING})
LIVE = frozenset({RunState.CLAIMED, RunState.RUNNING, RunState.UNREACHABLE})
ENDED = frozenset(RunState) - WAITING - LIVE


class Origin(StrEnum):
    SCHEDULE = "schedule"
    CATCH_UP = "catch_up"  # the tick passed while nobody planned
    MANUAL = "manual"


class End(StrEnum):
    """How an attempt ended on its node."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    NOT_STARTED = "not_started"
    TIMED_OUT = "timed_out"
    KILLED = "killed"
    FENCED = "fenced"  # killed by its own supervisor, because its lease was about to end


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What is known of an attempt that has ended."""

    end: End
    started_at: datetime | None
    ended_at: datetime
    exit_code: int | None = None
    signal: int | None = None
    error: str = ""  # in words, unless it exited
    max_memory: int | None = None  # bytes
    cpu_user: float | None = None  # seconds
    cpu_system: float | None = None
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    left_behind: int = 0  # processes that live on

    @property
    def size(self) -> int:
        """Bytes that it wrote to both streams."""
        return self.stdout_bytes + self.stderr_bytes

    @property
    def is_good(self) -> bool:
        return self.end is End.EXITED and self.exit_code == 0

    @property
    def reason(self) -> str:
        """Why it is not good, in words."""
        if self.is_good:
            return ""
        if self.end is End.EXITED:
            return f"exit status {self.exit_code}"
        if self.end is End.SIGNALLED:
            return self.error or f"ended by signal {self.signal}"
        return self.error or self.end.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One that is over and is followed by another."""

    number: int
    node: str
    started_at: datetime | None
    ended_at: datetime
    exit_code: int | None
    reason: str
    lost: bool = False  # with its node, or to its lease: what follows is no retry


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    id: str
    job_id: str
    job_version: int
    definition_text: str  # by which it was planned, see definition.py
    tick: datetime  # when asked for, if a person did
    slot: str
    origin: Origin
    state: RunState
    due_at: datetime  # not to be started before
    start_by: datetime  # not to be started after
    priority: int
    pools: tuple[str, ...]
    created_at: datetime
    parameters: Pairs = ()
    command: str | tuple[str, ...] | None = None  # instead of the definition's
    attempt: int = 0  # counted from 1, those included that were lost with their nodes; 0: none has begun
    epoch: int = 0  # raised by each claim; whoever writes for an older one is refused
    node: str = ""
    boot: str = ""  # the node's, see node.py
    nonce: str = ""  # of the claim, so that a node can tell its own
    lock: str = ""  # no two runs have the same
    claimed_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None  # of one that is unreachable: when it was taken for that
    reason: str = ""  # of its state, in words
    result: Result | None = None  # of the latest attempt that has ended
    past_attempts: tuple[Attempt, ...] = ()
    orders: tuple[str, ...] = ()  # for its node: "kill", "signal 10"
    owed: bool = False  # the job's canary has not been told yet what became of it

    @property
    def definition(self) -> Definition:
        return definition_from_text(self.definition_text, self.job_id)

    @property
    def failures(self) -> int:
        """How many of its past attempts have failed; those that were lost have not."""
        return sum(not attempt.lost for attempt in self.past_attempts)

    @property
    def is_waiting(self) -> bool:
        return self.state in WAITING

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def limit(self) -> int | None:
        """How many of its job may be under way for it to start; None: any number."""
        definition = self.definition
        if self.origin is Origin.CATCH_UP and definition.catch_up.policy is CatchUpPolicy.ALL:
            return 1
        return definition.limit

    @property
    def overlapped(self) -> bool:
        """Skipped because of an earlier run."""
        return self.state is RunState.SKIPPED and self.reason.startswith(OVERLAP)


class Outcome(StrEnum):
    WON = "won"  # the run now is as the change says; perhaps it was already
    LOST = "lost"  # somebody else has changed it
    LOCKED = "locked"  # another run has the lock that this one needs


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChange:
    """To be written only while the run's state and epoch are as before, and its lock, if it takes one, is free."""

    before: Run
    after: Run

    @property
    def changed(self) -> frozenset[str]:
        """The names of the fields whose values differ.

        What is owed is owed anew, since the canary may have been told of what was before. Orders are never among them: others add to these.
        """
        differ = frozenset(name for name in _FIELDS if getattr(self.before, name) != getattr(self.after, name))
        return differ | {"owed"} if self.after.owed else differ


_FIELDS = tuple(field.name for field in fields(Run) if field.name not in ("id", "orders"))


def run_id(job_id: str, tick: datetime, slot: str) -> str:
    """The same for whoever plans this tick. Nobody takes it apart: what it is made of stands in the run."""
    return f"{job_id}.{tick:%Y%m%dT%H%M%S}{tick.microsecond // 1000:03}Z.{slot}"


def planned(job: Job, tick: datetime, slot: str, *, origin: Origin, start_by: datetime, now: datetime, text: str = "") -> Run:
    """`text` is that of the job's definition, from whoever plans many runs of it."""
    definition = job.definition
    return Run(
        id=run_id(job.id, tick, slot),
        job_id=job.id,
        job_version=job.version,
        definition_text=text or definition_as_text(definition),
        tick=tick,
        slot=slot,
        origin=origin,
        state=RunState.QUEUED,
        due_at=tick,
        start_by=start_by,
        priority=definition.priority,
        pools=definition.pools,
        created_at=now,
    )


def claimed(run: Run, *, node: str, boot: str, nonce: str, lock: str, now: datetime) -> RunChange:
    """The node has the right to start one attempt. A retry keeps the lock of the first."""
    after = replace(
        run, state=RunState.CLAIMED, attempt=run.attempt + 1, epoch=run.epoch + 1, node=node, boot=boot, nonce=nonce,
        lock=run.lock or lock, claimed_at=now, started_at=None, ended_at=None, reason="", result=None,
    )  # fmt: skip
    return RunChange(before=run, after=after)


def unclaimed(run: Run, reason: str) -> RunChange:
    """Back in the queue: it is certain that this attempt was never started."""
    state = RunState.RETRYING if run.failures else RunState.QUEUED
    after = replace(
        run, state=state, attempt=run.attempt - 1, node="", boot="", nonce="", claimed_at=None, started_at=None,
        ended_at=None, reason=reason, lock=run.lock if run.failures else "",
    )  # fmt: skip
    return RunChange(before=run, after=after)


def started(run: Run, at: datetime) -> RunChange:
    """Also said of a run that was unreachable and turns out to be alive."""
    return RunChange(before=run, after=replace(run, state=RunState.RUNNING, started_at=run.started_at or at, ended_at=None, reason=""))


def ended(run: Run, result: Result) -> RunChange:
    """Done, failed or killed; or waiting for the next attempt."""
    if result.is_good:
        return _over(run, RunState.DONE, _told_at(run, result), "", result)
    if result.end is End.KILLED:
        return _over(run, RunState.KILLED, result.ended_at, result.reason, result)
    retries = run.definition.retries
    if run.failures >= retries.most:
        return _over(run, RunState.FAILED, result.ended_at, result.reason, result)
    due_at = result.ended_at + _pause(run, retries)
    past = _past(run, result.started_at, result.ended_at, result.reason, exit_code=result.exit_code)
    after = replace(
        run, state=RunState.RETRYING, due_at=due_at, start_by=due_at + run.definition.start_deadline(run.tick),
        node="", boot="", nonce="", ended_at=None, reason=f"attempt {run.attempt}: {result.reason}", result=result,
        past_attempts=(*run.past_attempts, past),
    )  # fmt: skip
    return RunChange(before=run, after=after)


def _told_at(run: Run, result: Result) -> datetime:
    """When it was done; of one that was unreachable, after that at the earliest, else its canary would take it for old news."""
    if run.state is RunState.UNREACHABLE and run.ended_at:
        return max(result.ended_at, run.ended_at + timedelta(milliseconds=1))
    return result.ended_at


def _pause(run: Run, retries: Retries) -> timedelta:
    """Always the same for one attempt."""
    shaken = 1 + SHAKEN * ((crc32(f"{run.id}.{run.attempt}".encode()) % 1_000) / 500 - 1)
    return timedelta(milliseconds=round(retries.wait_after(run.failures) * shaken * 1_000))


def skipped(run: Run, reason: str, now: datetime) -> RunChange:
    return _over(run, RunState.SKIPPED, now, reason)


def postponed(run: Run, due_at: datetime) -> RunChange:
    """It waits for its turn, and is not in the way of others meanwhile."""
    return RunChange(before=run, after=replace(run, due_at=due_at, reason=OVERLAP))


def missed(run: Run, reason: str, now: datetime) -> RunChange:
    """Of one that was never started. One whose attempts have failed has failed, and one that was lost with its node is lost."""
    never_ended = RunState.LOST if run.attempt else RunState.MISSED
    return _over(run, RunState.FAILED if run.failures else never_ended, now, reason)


def failed(run: Run, reason: str, now: datetime) -> RunChange:
    """It could not be started, and trying again would not help."""
    return _over(run, RunState.FAILED, now, reason)


def killed(run: Run, reason: str, now: datetime) -> RunChange:
    """Before it was started."""
    return _over(run, RunState.KILLED, now, reason)


def unreachable(run: Run, reason: str) -> RunChange:
    """Its node's lease has ended. It keeps its lock, and what its node may still say of it counts."""
    return RunChange(before=run, after=replace(run, state=RunState.UNREACHABLE, reason=reason, owed=True))


def lost(run: Run, reason: str, now: datetime) -> RunChange:
    return _over(run, RunState.LOST, now, reason)


def abandoned(run: Run, reason: str, now: datetime) -> RunChange:
    """What the end of its node's lease means for a run: it is run again elsewhere, if its definition says so."""
    if run.definition.on_lost is OnLost.RERUN:
        return rerun(run, reason, now)
    return RunChange(before=run, after=replace(unreachable(run, reason).after, ended_at=now))


def gone(run: Run, reason: str, now: datetime) -> RunChange:
    """It is certain that nothing of it goes on, and nobody knows how far it came."""
    return rerun(run, reason, now) if run.definition.on_lost is OnLost.RERUN else lost(run, reason, now)


def rerun(run: Run, reason: str, now: datetime) -> RunChange:
    """Any node may take it again. What it wrote stays apart as an attempt of its own, which is no retry."""
    after = replace(
        run, state=RunState.RETRYING if run.failures else RunState.QUEUED, epoch=run.epoch + 1, node="", boot="", nonce="",
        claimed_at=None, started_at=None, ended_at=None, lock=run.lock if run.failures else "", reason=reason,
        due_at=now, start_by=now + run.definition.start_deadline(run.tick),
        past_attempts=(*run.past_attempts, _past(run, run.started_at, now, reason, lost=True)),
    )  # fmt: skip
    return RunChange(before=run, after=after)


def _past(
    run: Run, started_at: datetime | None, ended_at: datetime, reason: str, *, exit_code: int | None = None, lost: bool = False
) -> Attempt:
    return Attempt(
        number=run.attempt, node=run.node, started_at=started_at, ended_at=ended_at, exit_code=exit_code, reason=reason, lost=lost,
    )  # fmt: skip


def _over(run: Run, state: RunState, at: datetime, reason: str, result: Result | None = None) -> RunChange:
    started_at = run.started_at or (result.started_at if result else None)
    after = replace(run, state=state, started_at=started_at, ended_at=at, reason=reason, result=result or run.result, lock="", owed=True)
    return RunChange(before=run, after=after)


def lock_of(run: Run, place: int) -> str:
    """What a run under way holds, so that no more than the limit are: one of the places 0 to limit - 1 of its job."""
    overlap = run.definition.overlap
    # No id and no node's name has a bar; both may have dots.
    whose = run.job_id if run.slot == ANY or overlap.across_nodes else f"{run.job_id}|{run.slot}"
    return f"{whose}|{place}"


def entry_nonce(run: Run) -> str:
    """Names the line that this run's end writes into its canary's history, however often it is written."""
    return f"{crc32(run.id.encode()):08x}{to_millis(run.ended_at or run.tick) & 0xFFFF:04x}"
