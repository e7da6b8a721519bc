"""Jobs that were written before the configuration changed: they may use another runner now, or theirs no longer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from coal_mine.domain.errors import CoalMineError, StoreUnavailable
from coal_mine.domain.job import Job
from coal_mine.domain.job_ports import JobFilter
from coal_mine.services.job_list import JobList
from coal_mine.services.jobs import Jobs

_log = logging.getLogger(__name__)


class RunnerRepair:
    """Looks once, when a background starts: the configuration is read then."""

    def __init__(self, jobs: Jobs, job_list: JobList, accounts: Sequence[str], repair: Callable[[Job], Mapping[str, Any]]) -> None:
        """`repair` says what must change for a job to run as the configuration says now; nothing, when it does."""
        self._jobs = jobs
        self._job_list = job_list
        self._left = list(accounts)
        self._repair = repair

    def run_once(self, _now: datetime) -> None:
        """May be repeated, after a fault from the account on in which it was."""
        while self._left:
            for job in self._job_list.each(JobFilter(namespace=(self._left[-1],))):
                self._put_right(job)
            self._left.pop()

    def _put_right(self, job: Job) -> None:
        changes = self._repair(job)
        if not changes:
            return
        try:
            self._jobs.patch(job.id, changes, version=job.version)
        except StoreUnavailable:
            raise
        except CoalMineError as error:  # somebody has changed or deleted it since, or it is none that could be written today
            _log.warning("job %s keeps its runner: %s", job.id, error, extra={"action": "runner_kept"})
        else:
            _log.info("job %s has another runner: its account's have changed", job.id, extra={"action": "runner_changed"})
