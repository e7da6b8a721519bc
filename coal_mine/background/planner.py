"""Writes the runs of the coming minute."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from coal_mine.domain.job import Job
from coal_mine.domain.planning import AHEAD, Plan, plan
from coal_mine.domain.ports import Store
from coal_mine.domain.run import Run

_log = logging.getLogger(__name__)

# Between two looks: jobs are planned in groups, and nobody waits for a plan that is made a minute ahead.
PAUSE = timedelta(milliseconds=500)
_JOBS_AT_ONCE = 500
# So many are written at once, and one job's more: the store has other work.
_RUNS_AT_ONCE = 1_000
_FAILED_AGAIN_AFTER = timedelta(minutes=1)


class Planner:
    """Any number may work at once, on one machine or on many.

    1. The runs are added. Their ids follow from job, tick and slot, so a second planner adds nothing.
    2. The job's `next_at` is moved, if it still is what it was. Dying before that, the next planner does the same again.
    3. Where it was not moved, the job was changed or deleted meanwhile, and what was planned of it by the old version is withdrawn. Dying
       before that leaves runs that no node starts, since it compares the versions first.
    """

    def __init__(self, store: Store, *, run_planned: Callable[[], None], run_ended: Callable[[Sequence[Run]], None]) -> None:
        """`run_planned` is called when runs were added; `run_ended` gets those that ended by being planned, because they were too late."""
        self._store = store
        self._run_planned = run_planned
        self._run_ended = run_ended
        self._set_aside: dict[str, datetime] = {}  # jobs that cannot be planned, and when it is tried again

    def run_once(self, now: datetime) -> datetime | None:
        self._set_aside = {job_id: again_at for job_id, again_at in self._set_aside.items() if again_at > now}
        limit = _JOBS_AT_ONCE + len(self._set_aside)
        found = self._store.jobs.to_plan(now + AHEAD, limit=limit)
        jobs = [job for job in found if job.id not in self._set_aside]
        if not jobs:
            return now + PAUSE
        is_behind = len(found) == limit
        for plans in _in_groups(self._plans(jobs, now)):
            self._carry_out(plans)
            is_behind |= any(_is_behind(made, now) for made in plans)
        return now if is_behind else now + PAUSE

    def _plans(self, jobs: Iterable[Job], now: datetime) -> Iterator[Plan]:
        nodes = self._store.nodes.all()
        for job in jobs:
            try:
                yield plan(job, nodes, now)
            except Exception:  # noqa: BLE001 - one job that cannot be planned must not keep the others from being
                _log.exception("job %s cannot be planned; trying again in a minute", job.id, extra={"action": "plan_failed"})
                self._set_aside[job.id] = now + _FAILED_AGAIN_AFTER

    def _carry_out(self, plans: Sequence[Plan]) -> None:
        runs = [run for made in plans for run in made.runs]
        if runs and self._store.runs.add(runs):
            self._run_planned()
        moved = self._store.jobs.planned([(made.job, made.next_at) for made in plans])
        if moved < len(plans):
            self._withdraw(plans)
        self._tell([run.id for run in runs if run.has_ended and run.owed])

    def _tell(self, run_ids: Sequence[str]) -> None:
        """As they are stored: another planner may have made them long ago, in time."""
        if run_ids:
            self._run_ended([run for run in self._store.runs.find(run_ids).values() if run.has_ended and run.owed])

    def _withdraw(self, plans: Sequence[Plan]) -> None:
        """What was planned of jobs that have changed or gone. Those that another planner moved lose nothing."""
        jobs = self._store.jobs.find({made.job.id for made in plans})
        for made in plans:
            job = jobs.get(made.job.id)
            if job is None and made.job.next_at:
                self._store.runs.withdraw(made.job.id, below=made.job.version + 1, after=made.job.next_at - timedelta(milliseconds=1))
            elif job and job.version > made.job.version:  # what had its tick before the change stays
                self._store.runs.withdraw(job.id, below=job.version, after=job.changed_at)


def _in_groups(plans: Iterable[Plan]) -> Iterator[list[Plan]]:
    """Made when it is their turn, so that few are held in memory."""
    group: list[Plan] = []
    runs = 0
    for made in plans:
        group.append(made)
        runs += len(made.runs)
        if runs >= _RUNS_AT_ONCE:
            yield group
            group, runs = [], 0
    if group:
        yield group


def _is_behind(made: Plan, now: datetime) -> bool:
    return made.next_at is not None and made.next_at <= now + AHEAD
