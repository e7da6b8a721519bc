"""Finds jobs whose change was stored while nothing else of it was done, because whoever made it died in between."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from coal_mine.domain.errors import Conflict, Invalid, NotFound
from coal_mine.domain.job_ports import ChangedJob
from coal_mine.domain.ports import Store
from coal_mine.domain.times import EPOCH

_log = logging.getLogger(__name__)

EVERY = timedelta(seconds=30)
# Whoever changes a job has had time to do all of it.
SETTLED_AFTER = timedelta(seconds=5)
# A change may be stored as much later than its time says, so each pass begins before the end of the last one.
_STORED_WITHIN = timedelta(minutes=2)
_AT_ONCE = 500


class UnsettledJobs:
    """The first pass goes through all jobs, a page at a time; later ones only through those that were changed since."""

    def __init__(self, store: Store, settle: Callable[[str], None]) -> None:
        self._jobs = store.jobs
        self._canaries = store.canaries
        self._settle = settle
        self._behind = (EPOCH, "")
        self._look_at: datetime | None = None

    def run_once(self, now: datetime) -> None:
        if self._look_at and now < self._look_at:
            return
        page = self._jobs.changed(self._behind, limit=_AT_ONCE)
        for job in self._lagging([job for job in page if job.changed_at <= now - SETTLED_AFTER]):
            self._bring_to_its_end(job)
        if len(page) == _AT_ONCE:
            self._behind, self._look_at = (page[-1].changed_at, page[-1].id), now
        else:
            self._behind, self._look_at = (now - _STORED_WITHIN, ""), now + EVERY

    def _lagging(self, jobs: list[ChangedJob]) -> list[ChangedJob]:
        """Those whose canaries follow an older version; a canary that somebody has deleted stays so until the job is changed."""
        followed = self._canaries.followed({job.canary_id for job in jobs}) if jobs else {}
        return [job for job in jobs if followed.get(job.canary_id, job.version) < job.version]

    def _bring_to_its_end(self, job: ChangedJob) -> None:
        _log.warning("a change of job %s did not reach its canary; doing it now", job.id, extra={"action": "job_settled", "job_id": job.id})
        with suppress(NotFound):  # deleted meanwhile
            try:
                self._settle(job.id)
            except (Conflict, Invalid) as error:  # the others must not wait for it
                _log.error("the canary of job %s cannot follow it: %s", job.id, error, extra={"action": "settle_failed", "job_id": job.id})
