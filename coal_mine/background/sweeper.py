"""Looks after runs of which nobody else does: not started in time, on a node that is silent, not told, or long over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from coal_mine.domain.canary import awaited
from coal_mine.domain.errors import NotFound
from coal_mine.domain.node import Node
from coal_mine.domain.overdue import awaited_until, overdue, unplaceable, waits_for_its_turn
from coal_mine.domain.planning import apart
from coal_mine.domain.ports import Store
from coal_mine.domain.run import Outcome, Run, RunChange, RunState, abandoned, gone, lost
from coal_mine.domain.times import isoformat
from coal_mine.domain.wishes import Wishes, wished

from .contact import Contact

_log = logging.getLogger(__name__)

PAUSE = timedelta(milliseconds=500)
# A node beats every five seconds, and one that was without the store beats as soon as it is back.
_SETTLING = timedelta(seconds=7)
_GAP = timedelta(seconds=10)
# One that comes back together with us beats at once.
_RETURN = timedelta(seconds=3)
# Whoever ends a run tells its canary; only when he has not done it so long afterwards, we do.
_TOLD_AFTER = timedelta(seconds=3)
# As soon as a node has had time to take it, it is asked whether any may.
_PLACED_AFTER = timedelta(seconds=1)
# Canaries that wait for runs under way are looked at so often, and read when their deadlines are so near.
_AWAIT_EVERY = timedelta(seconds=5)
_NEAR = timedelta(seconds=20)
_FORGET_EVERY = timedelta(minutes=10)
_AT_ONCE = 500


class Sweeper:
    """Any number may work at once: each change is conditional, and telling is idempotent."""

    def __init__(self, store: Store, *, tell: Callable[[Sequence[Run]], None], kept: timedelta, lost_after: timedelta) -> None:
        """`tell` is services.outcomes.Outcomes.tell. Runs are `kept` so long after their end, as are entries of the audit log, and wait
        `lost_after` for news of a node.
        """
        self._store = store
        self._tell = tell
        self._kept = kept
        self._lost_after = lost_after
        self._contact = Contact(gap=_GAP, settling=_SETTLING)
        self._return = Contact(gap=_GAP, settling=_RETURN)
        self._wishes: list[Wishes] = []  # of operators, as far as we have seen them; the latest last
        self._forget_at: datetime | None = None
        self._await_at: datetime | None = None
        self._awaited: dict[str, datetime] = {}  # until when the canaries of live runs are known to wait

    def run_once(self, now: datetime) -> datetime | None:
        more = self._end_overdue(now, is_settled=self._return.may_judge(now))
        if self._contact.may_judge(now):
            self._abandon(now)
        self._await(now)
        self._tell(self._store.runs.owing(now - _TOLD_AFTER, limit=_AT_ONCE))
        self._forget(now)
        return now if more else now + PAUSE

    def _end_overdue(self, now: datetime, *, is_settled: bool) -> bool:
        """Runs whose time passed before we looked are judged when nodes that were away, too, had time to say that they are back.

        If another background was there, it has judged them by then.
        """
        found = self._store.runs.overdue(now, limit=_AT_ONCE)
        late = [run for run in found if is_settled or not self._return.began_after(run.start_by)]
        nodes = self._store.nodes.all()
        self._wishes = wished(self._wishes, nodes, self._store.nodes.switches(), now)  # at each look: they may be over at the next one
        due = self._store.runs.due(now - _PLACED_AFTER, node=None, limit=_AT_ONCE)
        if not late and not due:
            return False
        changes = [unplaceable(run, nodes, now) or self._overdue(run, nodes, now) for run in late]
        ids = {run.id for run in late}
        changes += [change for run in due if run.id not in ids and (change := unplaceable(run, nodes, now))]
        self._carry_out(changes)
        return len(late) == _AT_ONCE

    def _overdue(self, run: Run, nodes: Sequence[Node], now: datetime) -> RunChange:
        unattended = self._return.began_after(run.start_by)
        return overdue(run, nodes, self._wishes, held_up=self._is_held_up(run), unattended=unattended, now=now)

    def _is_held_up(self, run: Run) -> bool:
        return waits_for_its_turn(run) and any(other.id != run.id for other in self._store.runs.live_of(run.job_id))

    def _abandon(self, now: datetime) -> None:
        busy = self._store.runs.live_nodes()  # before the nodes: whoever is among these has announced itself
        nodes = {node.name: node for node in self._store.nodes.all()} if busy else {}
        changes = []
        for name in busy:
            node = nodes.get(name)
            if node is None or node.has_lost_its_lease(now):
                changes += [change for run in self._store.runs.live_on(name) if (change := self._abandoned(run, node, now))]
        self._carry_out(changes)

    def _abandoned(self, run: Run, node: Node | None, now: datetime) -> RunChange | None:
        if node is None:  # only an operator removes a node, and thereby says that nothing on it goes on
            return gone(run, f"node {run.node} was removed", now)
        if run.state is not RunState.UNREACHABLE:
            return abandoned(run, f"nothing is heard of node {run.node} since {isoformat(node.seen_at)}", now)
        if now - node.seen_at < self._lost_after:
            return None
        return lost(run, f"nothing was heard of node {run.node} since {isoformat(node.seen_at)}", now)

    def _await(self, now: datetime) -> None:
        """Canaries whose deadlines come near wait for runs that are under way and may be."""
        if self._await_at and now < self._await_at:
            return
        self._await_at = now + _AWAIT_EVERY
        live = [run for name in self._store.runs.live_nodes() for run in self._store.runs.live_on(name)]
        known, self._awaited = self._awaited, {}
        for run in live:
            until = awaited_until(run, now)
            if until and now - run.tick > _AWAIT_EVERY:
                is_known = known.get(run.id, now) > now + _NEAR
                self._awaited[run.id] = known[run.id] if is_known else self._prolong(run, until)

    def _prolong(self, run: Run, until: datetime) -> datetime:
        """How long its canary waits now."""
        with suppress(NotFound):  # the job, or its canary, was deleted meanwhile
            canary = self._store.canaries.get(self._store.jobs.get(run.job_id).canary_id)
            transition = awaited(canary, until)
            if transition is None:
                return canary.deadline or until
            if not self._store.canaries.apply(transition):  # the canary has changed, and is looked at again
                return run.tick
        return until

    def _carry_out(self, changes: Sequence[RunChange]) -> None:
        if not changes:
            return
        ends = apart([change.after for change in changes])
        changes = [replace(change, after=after) for change, after in zip(changes, ends, strict=True)]
        outcomes = self._store.runs.change(changes)
        won = [change.after for change, outcome in zip(changes, outcomes, strict=True) if outcome is Outcome.WON]
        for run in (run for run in won if run.owed):
            _log.warning("run %s is %s: %s", run.id, run.state, run.reason, extra={"action": f"run_{run.state}", "run_id": run.id})
        self._tell(won)

    def _forget(self, now: datetime) -> None:
        if self._forget_at is None or now >= self._forget_at:
            stores = (self._store.runs, self._store.audit)
            forgotten = [store.forget(now - self._kept, limit=_AT_ONCE) for store in stores]
            self._forget_at = now if _AT_ONCE in forgotten else now + _FORGET_EVERY
