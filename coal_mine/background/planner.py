"""Writes the runs of the coming minute."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from coal_mine.domain.job import Job
from coal_mine.domain.planning import AHEAD, Plan, plan
from coal_mine.domain.ports import Store
from coal_mine.domain.run import Run

_log = logging.getLogger(__name__)

# Between two looks: jobs are planned in groups, and nobody waits for a plan that is made a minute ahead.
PAUSE = timedelta(milliseconds=500)
_JOBS_AT_ONCE = 500


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

    def run_once(self, now: datetime) -> datetime | None:
        jobs = self._store.jobs.to_plan(now + AHEAD, limit=_JOBS_AT_ONCE)
        if not jobs:
            return now + PAUSE
        nodes = self._store.nodes.all()
        plans = [made for job in jobs if (made := self._plan(job, now, lambda job: plan(job, nodes, now)))]
        self._carry_out(plans)
        return now if len(jobs) == _JOBS_AT_ONCE or any(_is_behind(each, now) for each in plans) else now + PAUSE

    def _plan(self, job: Job, now: datetime, make: Callable[[Job], Plan]) -> Plan | None:
        try:
            return make(job)
        except Exception:  # noqa: BLE001 - one job that cannot be planned must not keep the others from being
            _log.exception("job %s cannot be planned; trying again in a minute", job.id, extra={"action": "plan_failed"})
            self._store.jobs.planned([(job, now + 2 * AHEAD)])
            return None

    def _carry_out(self, plans: Sequence[Plan]) -> None:
        runs = [run for made in plans for run in made.runs]
        if runs and self._store.runs.add(runs):
            self._run_planned()
        moved = self._store.jobs.planned([(made.job, made.next_at) for made in plans])
        if moved < len(plans):
            self._withdraw(plans)
        ended = [run for run in runs if run.has_ended and run.owed]
        if ended:
            self._run_ended(ended)

    def _withdraw(self, plans: Sequence[Plan]) -> None:
        """What was planned of jobs that have changed or gone. Those that another planner moved lose nothing."""
        versions = self._store.jobs.versions({made.job.id for made in plans})
        for made in plans:
            version = versions.get(made.job.id, made.job.version + 1)
            if version > made.job.version and made.job.next_at:
                self._store.runs.withdraw(made.job.id, below=version, after=made.job.next_at - timedelta(milliseconds=1))


def _is_behind(made: Plan, now: datetime) -> bool:
    return made.next_at is not None and made.next_at <= now + AHEAD
