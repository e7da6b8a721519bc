"""Finds jobs whose change was stored while nothing else of it was done, because whoever made it died in between."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from coal_mine.domain.errors import Conflict, Invalid, NotFound, StoreUnavailable
from coal_mine.domain.job_ports import ChangedJob
from coal_mine.domain.ports import Store
from coal_mine.domain.times import EPOCH

_log = logging.getLogger(__name__)

EVERY = timedelta(seconds=30)
# Whoever changes a job has had time to do all of it.
SETTLED_AFTER = timedelta(seconds=5)
# A change may be stored as much later than its time says, so each pass begins before the end of the last one.
_STORED_WITHIN = timedelta(minutes=2)
_FAILED_AGAIN_AFTER = timedelta(minutes=1)
_AT_ONCE = 500


class UnsettledJobs:
    """The first pass goes through all jobs, a page at a time; later ones only through those that were changed since."""

    def __init__(self, store: Store, settle: Callable[[str], None]) -> None:
        """`settle` is services.jobs.Jobs.settle."""
        self._jobs = store.jobs
        self._canaries = store.canaries
        self._settle = settle
        self._behind = (EPOCH, "")
        self._look_at: datetime | None = None
        self._set_aside: dict[str, datetime] = {}  # jobs that cannot be settled, and when it is tried again

    def run_once(self, now: datetime) -> datetime:
        for job_id in [job_id for job_id, again_at in self._set_aside.items() if again_at <= now]:
            self._bring_to_its_end(job_id, now)
        if self._look_at is None or now >= self._look_at:
            self._look_at = self._look(now)
        return min([self._look_at, *self._set_aside.values()])

    def _look(self, now: datetime) -> datetime:
        """When to look the next time."""
        page = self._jobs.changed(self._behind, limit=_AT_ONCE)
        for job in self._lagging([job for job in page if job.changed_at <= now - SETTLED_AFTER and job.id not in self._set_aside]):
            self._bring_to_its_end(job.id, now)
        if len(page) == _AT_ONCE:
            self._behind = (page[-1].changed_at, page[-1].id)
            return now
        self._behind = (now - _STORED_WITHIN, "")
        return now + EVERY

    def _lagging(self, jobs: list[ChangedJob]) -> list[ChangedJob]:
        """Those whose canaries follow an older version; a canary that somebody has deleted stays so until the job is changed."""
        followed = self._canaries.followed({job.canary_id for job in jobs}) if jobs else {}
        return [job for job in jobs if followed.get(job.canary_id, job.version) < job.version]

    def _bring_to_its_end(self, job_id: str, now: datetime) -> None:
        _log.warning("a change of job %s did not reach its canary; doing it now", job_id, extra={"action": "job_settled", "job_id": job_id})
        self._set_aside[job_id] = now + _FAILED_AGAIN_AFTER  # before anything can go wrong: the next step passes it by
        try:
            with suppress(NotFound):  # deleted meanwhile
                self._settle(job_id)
        except StoreUnavailable:  # perhaps only for this one, which a store may refuse for ever
            raise
        except (Conflict, Invalid) as error:  # the others must not wait for it
            _log.error("the canary of job %s cannot follow it: %s", job_id, error, extra={"action": "settle_failed", "job_id": job_id})
        except Exception:  # noqa: BLE001 - one job that cannot be settled must not keep the others from being
            _log.exception(
                "job %s cannot be settled; trying again in a minute", job_id, extra={"action": "settle_failed", "job_id": job_id}
            )
            return
        del self._set_aside[job_id]
