"""Jobs that were written before the configuration changed: they may use another runner now, or theirs no longer."""

from __future__ import annotations

import logging
from datetime import datetime

from coal_mine.domain.errors import CoalMineError, StoreUnavailable
from coal_mine.domain.job import Job
from coal_mine.services.jobs import Jobs

from .translation import Translation
from .verbs import jobs_in

_log = logging.getLogger(__name__)


class RunnerRepair:
    """Looks once, when a background starts: the configuration is read then."""

    def __init__(self, jobs: Jobs, translation: Translation) -> None:
        self._jobs = jobs
        self._translation = translation
        self._left = translation.accounts

    def run_once(self, _now: datetime) -> None:
        """May be repeated, after a fault from the account on in which it was."""
        while self._left:
            for job in jobs_in(self._jobs, self._left[-1]):
                self._repair(job)
            self._left.pop()

    def _repair(self, job: Job) -> None:
        changes = self._translation.repair(job)
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
