"""What a node finds when it begins: runs of its earlier life, in its spool and in the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from coal_mine.domain.node import Node
from coal_mine.domain.ports import Store
from coal_mine.domain.run import Outcome, Run, RunChange, RunState, gone, unclaimed
from coal_mine.node.spool.directory import RunDirectory
from coal_mine.node.spool.record import Spec
from coal_mine.node.spool.spool import Spool

from .roster import Roster, Tracked

_log = logging.getLogger(__name__)

# Claims that are younger than this may still be on their way into the spool.
_SETTLED = timedelta(seconds=30)
_READ_AT_ONCE = 1 << 20


class Adoption:
    """Supervisors outlive the agent. Nothing is claimed before this is done."""

    def __init__(self, store: Store, spool: Spool, roster: Roster, *, tell: Callable[[Sequence[Run]], None]) -> None:
        self._store = store
        self._spool = spool
        self._roster = roster
        self._tell = tell

    def adopt(self, node: Node, now: datetime) -> None:
        """Directories whose runs are still this node's are looked after again; others are cleared away."""
        found = self._readable()
        runs = self._store.runs.find({spec.run_id for _, spec in found})
        for directory, spec in found:
            run = runs.get(spec.run_id)
            mine = self._renamed(run, node) if run and run.is_live and run.epoch == spec.epoch and _is_of(node, run) else None
            if mine:
                self._roster.add(Tracked(mine, directory, position=self._stored(mine)))
            else:
                self._disown(directory, run)
        self.give_back(node, now, settled=timedelta())
        if found:
            _log.info("%d runs of an earlier start were found, %d go on", len(found), len(self._roster), extra={"action": "adopted"})

    def give_back(self, node: Node, now: datetime, *, settled: timedelta = _SETTLED) -> None:
        """Runs that the store has for this node and that it does not know: they were never started, or nobody knows how they ended."""
        known = {tracked.run.id for tracked in self._roster.all()}
        strange = [run for run in self._store.runs.live_on(node.name) if run.id not in known and _age(run, now) >= settled]
        changes = [_given_back(run, node, now) for run in strange]
        if not changes:
            return
        outcomes = self._store.runs.change(changes)
        won = [change.after for change, outcome in zip(changes, outcomes, strict=True) if outcome is Outcome.WON]
        for run in won:
            _log.warning("run %s: %s, %s", run.id, run.state, run.reason, extra={"action": f"run_{run.state}", "run_id": run.id})
        self._tell(won)

    def _readable(self) -> list[tuple[RunDirectory, Spec]]:
        """A machine that crashes may leave a file without its content; then nothing of the run goes on."""
        found = []
        for directory in self._spool.runs():
            try:
                found.append((directory, directory.spec))
            except (OSError, ValueError, TypeError) as error:
                _log.error("%s is no run any more: %s", directory.path, error, extra={"action": "spool_broken"})
                self._clear(directory)
        return found

    def _renamed(self, run: Run, node: Node) -> Run | None:
        """Under the name that its node has now, so that orders reach it; None when it has passed to somebody else meanwhile."""
        if run.node == node.name:
            return run
        change = RunChange(before=run, after=replace(run, node=node.name))
        (outcome,) = self._store.runs.change([change])
        return change.after if outcome is Outcome.WON else None

    def _stored(self, run: Run) -> int:
        """Where its output ends that is in the store. What follows must begin there: chunks that begin alike are taken for the same."""
        end = 0
        while chunks := self._store.output.read(run.id, run.attempt, offset=end, limit=_READ_AT_ONCE):
            end = chunks[-1].end
        return end

    def _disown(self, directory: RunDirectory, run: Run | None) -> None:
        if run is not None and directory.is_alive():
            tracked = Tracked(run, directory)
            tracked.disown()
            self._roster.add(tracked)
            return
        self._clear(directory)

    @staticmethod
    def _clear(directory: RunDirectory) -> None:
        directory.kill_remains()
        directory.remove()


def _is_of(node: Node, run: Run) -> bool:
    """A node that was given another name goes on with its runs: it is known by its spool, which the boot names last."""
    return run.node == node.name or run.boot.split()[1:] == node.boot.split()[1:] != []


def _age(run: Run, now: datetime) -> timedelta:
    return now - (run.claimed_at or run.created_at)


def _given_back(run: Run, node: Node, now: datetime) -> RunChange:
    if run.boot != node.boot:
        return gone(run, "its node was restarted", now)
    if run.started_at is None and run.state in (RunState.CLAIMED, RunState.UNREACHABLE):
        return unclaimed(run, "taken by its node, but never started there")
    return gone(run, "its node no longer knows of it", now)
