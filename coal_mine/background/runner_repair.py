"""Jobs that were written before the configuration changed: they may use another runner now, or theirs no longer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from coal_mine.domain.errors import CoalMineError, StoreUnavailable
from coal_mine.domain.job import Job
from coal_mine.domain.job_ports import JobFilter, JobStore
from coal_mine.services.jobs import Jobs

_log = logging.getLogger(__name__)

# Who has changed such a job, in the words of the audit log.
BY = "coal-mine"
# Short enough that the step does not look stuck.
_AT_ONCE = 100


class RunnerRepair:
    """Looks once, when a background starts: the configuration is read then."""

    def __init__(self, jobs: Jobs, store: JobStore, accounts: Sequence[str], repair: Callable[[Job], Mapping[str, Any]]) -> None:
        """`repair` says what must change for a job to run as the configuration says now; nothing, when it does."""
        self._jobs = jobs
        self._store = store
        self._left = list(accounts)
        self._after = ""
        self._repair = repair

    def run_once(self, now: datetime) -> datetime | None:
        """A page of one account; after a fault the same again."""
        if not self._left:
            return None
        page = self._store.select(JobFilter(namespace=(self._left[-1],)), after=self._after, limit=_AT_ONCE)
        for job in page:
            self._put_right(job)
        if len(page) == _AT_ONCE:
            self._after = page[-1].id
        else:
            self._left.pop()
            self._after = ""
        return now

    def _put_right(self, job: Job) -> None:
        changes = self._repair(job)
        if not changes:
            return
        try:
            self._jobs.patch(job.id, changes, version=job.version, by=BY)
        except StoreUnavailable:
            raise
        except CoalMineError as error:  # somebody has changed or deleted it since, or it is none that could be written today
            _log.warning("job %s keeps its runner: %s", job.id, error, extra={"action": "runner_kept"})
        else:
            _log.info("job %s has another runner: its account's have changed", job.id, extra={"action": "runner_changed"})
