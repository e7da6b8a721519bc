"""Takes runs that are due, and starts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zlib import crc32

from coal_mine.domain.catch_up import catches_up_in_order, caught_up, goes_before, passed_before
from coal_mine.domain.job import OverlapPolicy
from coal_mine.domain.node import Node
from coal_mine.domain.orders import is_kill, kill_order
from coal_mine.domain.overdue import waits_for_its_turn
from coal_mine.domain.ports import Ids, Store
from coal_mine.domain.run import (
    LIVE,
    OVERLAP,
    Origin,
    Outcome,
    Run,
    RunChange,
    RunState,
    claimed,
    killed,
    lock_of,
    postponed,
    skipped,
)
from coal_mine.domain.times import EPOCH

from .lease import Lease
from .roster import Roster, Tracked
from .starter import NotStarted, Starter

# So far ahead it is looked, so that a run is known before its instant; and so often.
LOOK_AHEAD = timedelta(seconds=1)
PAUSE = timedelta(milliseconds=500)
# After a claim, so long is waited for more runs that are asked for: to claim ten costs as much as to claim one.
_GATHERING = timedelta(milliseconds=50)
# Other nodes should have their share of a crowd, and the first of it should not wait for the last to be claimed.
_AT_ONCE = 50
_LOOKED_AT = 1_000
_LOOKED_AT_MOST = 16_000
# A run that waits for an earlier one is tried again so much later, unless that ends here.
_TURN = timedelta(seconds=1)
_ALL_VERSIONS = 1 << 60
_TIDY_EVERY = timedelta(seconds=30)


class Claimer:
    """A step.

    1. Runs that are due, and for which there is room, are claimed: one conditional write each, with a nonce. An answer that was lost is not
       a claim; the same claims are written again until it is known whose they are.
    2. Directories are made for those that were won, and their supervisors forked. Dying before that leaves claims without a directory, and
       the next life of this node gives them back (see adoption.py).
    """

    def __init__(
        self,
        store: Store,
        ids: Ids,
        lease: Lease,
        roster: Roster,
        starter: Starter,
        *,
        node: Callable[[], Node | None],
        ended_at_once: Callable[[Sequence[NotStarted]], None],
        run_ended: Callable[[Sequence[Run]], None],
        tidy: Callable[[Node, datetime], None],
    ) -> None:
        """`node` is this one, None before anything may be claimed; `run_ended` gets runs that ended without having been claimed.

        `tidy` gives back claims of which nobody knows. It is called now and then, when no answer is awaited: another thread could take a
        claim for forgotten that is being started.
        """
        self._store = store
        self._ids = ids
        self._lease = lease
        self._roster = roster
        self._starter = starter
        self._node = node
        self._ended_at_once = ended_at_once
        self._run_ended = run_ended
        self._tidy = tidy
        self._tidy_at: datetime | None = None
        self._known: list[Run] = []
        self._unsure: list[RunChange] = []
        self._term = 0  # of the lease on which the latest claims rely

    def run_once(self, now: datetime) -> datetime | None:
        node = self._node()
        if node is None or not self._lease.is_held:
            return now + PAUSE
        if self._unsure:
            self._write(self._unsure, node, now)
        self._term = self._lease.term
        if self._tidy_at is None or now >= self._tidy_at:
            self._tidy_at = now + _TIDY_EVERY
            self._tidy(node, now)
        ready = self._ready(node, now)
        if not ready:
            return self._next_at(now + PAUSE)
        node = self._allowed(node)
        chosen = self._roster.fitting((run for run in ready if node.serves(run.pools)), node, _AT_ONCE)
        taken = {run.id for run in chosen}
        chosen = self._current(chosen)
        if not chosen:
            return self._next_at(now + PAUSE)
        if self._claim(chosen, node, now):  # else others take from this crowd too, and what we know of it is old
            self._known += [run for run in ready if run.id not in taken]
        return self._next_at(now + _GATHERING)

    def _next_at(self, latest: datetime) -> datetime:
        return min([run.due_at for run in self._known] + [latest])

    def _ready(self, node: Node, now: datetime) -> list[Run]:
        """What is due, known from the last look or looked for now."""
        due = [run for run in self._known if run.due_at <= now]
        if not due:
            self._known = self._look(node, now + LOOK_AHEAD)
            due = [run for run in self._known if run.due_at <= now]
        self._known = [run for run in self._known if run.due_at > now]
        due = [run for run in due if run.start_by > now]  # the others are missed, and somebody is about to say so
        # Nodes that take from a crowd at once begin at different places.
        return sorted(due, key=lambda run: (run.due_at, -run.priority, crc32(f"{node.name} {run.id}".encode())))

    def _look(self, node: Node, until: datetime) -> list[Run]:
        """A crowd that this node may not take must not hide what is behind it. Nothing is asked beside this while there is none."""
        found = self._store.runs.due(until, node=node, limit=_LOOKED_AT)
        if len(found) < _LOOKED_AT:
            return found
        limit, node = _LOOKED_AT, self._allowed(node)
        while True:
            found = self._store.runs.due(until, node=node, limit=limit)
            takeable = [run for run in found if self._roster.may_ever_fit(run, node)]
            if takeable or len(found) < limit or limit >= _LOOKED_AT_MOST:
                return takeable
            limit *= 4

    def _allowed(self, node: Node) -> Node:
        """With the pools for which it may take runs now, as operators want it."""
        switches = self._store.nodes.switches()
        if not switches.execution_enabled or self._store.nodes.get(node.name).draining:
            return replace(node, pools=())
        return replace(node, pools=tuple(pool for pool in node.pools if pool not in switches.paused_pools))

    def _current(self, runs: Sequence[Run]) -> list[Run]:
        """Without those that were planned by a version of their job that was no longer in force at their tick."""
        versions = self._store.jobs.versions({run.job_id for run in runs})
        stale = {run.job_id for run in runs if run.origin is not Origin.MANUAL and versions.get(run.job_id) != run.job_version}
        if not stale:
            return list(runs)
        jobs = self._store.jobs.find(stale)
        for job_id in stale:
            job = jobs.get(job_id)
            below, after = (job.version, job.changed_at) if job else (_ALL_VERSIONS, EPOCH)
            self._store.runs.withdraw(job_id, below=below, after=after)
        left = self._store.runs.find([run.id for run in runs if run.job_id in stale])
        return [run for run in runs if run.job_id not in stale or run.id in left]

    def _claim(self, runs: Iterable[Run], node: Node, now: datetime) -> bool:
        """False when somebody else was faster with one of them."""
        changes = []
        asked_for = set()
        for run in runs:
            if any(map(is_kill, run.orders)):  # it was on its way to an attempt that ended by itself
                self._carry_out(killed(run, "killed while it waited for its next attempt", now))
                continue
            if waiting := self._behind(run, node, now):
                self._carry_out(waiting)
                continue
            lock = self._lock(run)
            if lock in asked_for:  # an earlier one of this job goes first, and this one is looked at again
                continue
            if lock:
                asked_for.add(lock)
            changes.append(claimed(run, node=node.name, boot=node.boot, nonce=self._ids.nonce(), lock=lock, now=now))
        return self._write(changes, node, now)

    def _behind(self, run: Run, node: Node, now: datetime) -> RunChange | None:
        """It goes on waiting if one with an earlier tick waits for the place that has become free meanwhile; None: it may start."""
        if catches_up_in_order(run) or passed_before(run, node):
            if any(goes_before(other, run, node, now) for other in self._store.runs.waiting_of(run.job_id)):
                joined = run if run.origin is Origin.CATCH_UP else caught_up(run, now)
                return RunChange(before=run, after=self._queue(joined, now).after)
            if catches_up_in_order(run):
                return None
        if _queues(run) and any(other.reason and other.tick < run.tick and other.start_by > now for other in self._waiting(run, now)):
            return self._queue(run, now)
        return None

    def _lock(self, run: Run) -> str:
        """Which place it asks for; empty: it needs none, or keeps the one it has."""
        limit = run.limit
        if limit is None or run.lock:
            return ""
        if limit == 1:
            return lock_of(run, 0)
        taken = {other.lock for other in self._store.runs.live_of(run.job_id)}
        places = (lock_of(run, place) for place in range(limit))
        return next((place for place in places if place not in taken), lock_of(run, 0))

    def _write(self, changes: list[RunChange], node: Node, now: datetime) -> bool:
        self._unsure = changes
        outcomes = self._store.runs.change(changes)
        self._drop_signals(change.before for change, outcome in zip(changes, outcomes, strict=True) if outcome is Outcome.WON)
        self._unsure = []
        together = list(zip(changes, outcomes, strict=True))
        self._start([change.after for change, outcome in together if outcome is Outcome.WON], node, now)
        for change, outcome in together:
            if outcome is Outcome.LOCKED:
                self._yield(change.before, now)
        return Outcome.LOST not in outcomes

    def _drop_signals(self, runs: Iterable[Run]) -> None:
        """Those that an earlier attempt has not lived to hear are not for this one."""
        for run in runs:
            for order in run.orders:
                self._store.runs.take_order(run, order)

    def _start(self, runs: Sequence[Run], node: Node, now: datetime) -> None:
        others = self._starter.start(runs, node, now, self._track)
        if others:
            self._ended_at_once(others)

    def _track(self, tracked: Tracked) -> None:
        self._roster.add(tracked)
        if self._lease.term != self._term:  # asleep since the claim, perhaps for so long that others have it
            tracked.fence()

    def _yield(self, run: Run, now: datetime) -> None:
        """An earlier run has the lock."""
        limit = run.limit or 1
        places = {lock_of(run, place) for place in range(limit)}
        holders = [other for other in self._store.runs.live_of(run.job_id) if other.lock in places]
        if len(holders) < limit and limit > 1:
            change = postponed(run, now)  # somebody else took the place that we asked for, and another one is free
        elif not waits_for_its_turn(run):
            change = skipped(run, OVERLAP + _named(holders), now)
        elif _queues(run):
            change = self._queue(run, now)
        else:
            change = self._replace(run, holders, now)
        self._carry_out(change)

    def _carry_out(self, change: RunChange) -> None:
        (outcome,) = self._store.runs.change([change])
        if outcome is Outcome.WON and change.after.has_ended:
            self._run_ended([change.after])

    def _replace(self, run: Run, holders: Sequence[Run], now: datetime) -> RunChange:
        newer = [other for other in self._waiting(run, now) if other.tick > run.tick]
        if newer:
            return skipped(run, f"{OVERLAP}, and a newer tick is to replace it", now)
        why = f"replaced by run {run.id}"
        in_the_way = sorted(holders, key=lambda other: other.tick)[: max(len(holders) - (run.limit or 1), 0) + 1]
        for other in in_the_way:
            if other.state in LIVE and not any(map(is_kill, other.orders)):
                self._store.runs.order(other.id, kill_order(why))
            elif other.state is RunState.RETRYING:
                self._carry_out(killed(other, why, now))
        return postponed(run, now + PAUSE)

    def _waiting(self, run: Run, now: datetime) -> list[Run]:
        """Others that wait for the same places, by tick."""
        place = lock_of(run, 0)
        return [
            other
            for other in self._store.runs.waiting_of(run.job_id)
            if other.id != run.id and other.state is RunState.QUEUED and other.tick <= now and other.limit and lock_of(other, 0) == place
        ]

    def _queue(self, run: Run, now: datetime) -> RunChange:
        before = sum(other.tick < run.tick for other in self._waiting(run, now))
        if run.origin is not Origin.CATCH_UP and before >= run.definition.overlap.waiting:
            return skipped(run, f"{OVERLAP}, and {before} are waiting already", now)
        # In their order: the later ones ask later.
        return postponed(run, now + _TURN + timedelta(milliseconds=before))


def _queues(run: Run) -> bool:
    """Whether it waits behind earlier ones, in their order."""
    return waits_for_its_turn(run) and (run.origin is Origin.CATCH_UP or run.definition.overlap.policy is not OverlapPolicy.REPLACE)


def _named(holders: Sequence[Run]) -> str:
    return f": {holders[0].id}" if holders else ""
