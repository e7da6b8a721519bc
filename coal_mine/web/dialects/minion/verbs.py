"""What Minion's clients do with jobs, by the same services as the native API."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from coal_mine.domain.definition import NAME
from coal_mine.domain.errors import Changed, Invalid, NotFound, StoreUnavailable
from coal_mine.domain.job import Job
from coal_mine.domain.job_ports import JobFilter
from coal_mine.services.jobs import MAX_PAGE, Jobs, ShownJob
from coal_mine.services.run_requests import RunRequest
from coal_mine.services.runs import Runs

from .translation import Translation, own_id, shown, wrapped
from .written import Written, written

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MAX_TRIES = 1_000


class Verbs:
    """`account`, `group` and `job_id` are a path's. Each raises NotFound for an account that is not configured."""

    def __init__(self, jobs: Jobs, runs: Runs, translation: Translation, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        """`new_id` draws a UUID."""
        self._jobs = jobs
        self._runs = runs
        self._translation = translation
        self._now = now
        self._new_id = new_id

    def of_account(self, account: str) -> list[str]:
        self._check(account)
        return [f"{job.namespace[1]}/{own_id(job)}" for job in jobs_in(self._jobs, account)]

    def of_group(self, account: str, group: str) -> list[str]:
        self._check(account, group)
        return [own_id(job) for job in jobs_in(self._jobs, account, group)]

    def get(self, account: str, group: str, job_id: str) -> Any:
        return _told(self._jobs.get(self._id(account, group, job_id)))

    def create(self, account: str, group: str, body: object, caller: str) -> Any:
        """`caller` is who changes it when the body does not say."""
        self._check(account, group)
        return self._created(account, group, self._new_id(), body, caller)

    def place(self, account: str, group: str, job_id: str, body: object, caller: str) -> Any:
        """Create it under an id that it has had elsewhere. Raises Conflict when there is one."""
        self._check(account, group)
        if not _ID.fullmatch(job_id):
            raise Invalid(f"{job_id[:100]!r} cannot be the id of a job: it must be a UUID, in small letters")
        return self._created(account, group, job_id, body, caller)

    def replace(self, account: str, group: str, job_id: str, body: object, caller: str) -> Any:
        """All that Minion has words for."""
        full_id = self._id(account, group, job_id)
        job = _written(body, "update")
        for _ in range(_MAX_TRIES):
            old = self._jobs.get(full_id).job
            changes = self._translation.changes(old, job, self._now())
            try:
                return _told(self._jobs.patch(full_id, changes, version=old.version, by=job.text("modified_by") or caller))
            except Changed:
                continue
        raise StoreUnavailable(f"job {full_id} changes all the time")

    def delete(self, account: str, group: str, job_id: str, caller: str) -> None:
        """One that does not exist is as good as deleted."""
        self._check(account, group)
        try:
            self._jobs.delete(self._id(account, group, job_id), by=caller)
        except NotFound:
            return

    def delete_group(self, account: str, group: str, caller: str) -> None:
        self._check(account, group)
        for job in list(jobs_in(self._jobs, account, group)):
            self.delete(account, group, own_id(job), caller)

    def run(self, account: str, group: str, job_id: str, caller: str) -> None:
        """Also a disabled one. Raises NotFound, and Invalid when its runner is not one that the account may use."""
        job = self._jobs.get(self._id(account, group, job_id)).job
        self._translation.check_runner(account, (shown(job)["details"] or {}).get("runner", ""))
        repair = self._translation.repair(job)  # the configuration may have changed since the job was written
        if repair:
            self._jobs.patch(job.id, repair, by=caller)
        self._runs.start(job.id, RunRequest())

    def _created(self, account: str, group: str, job_id: str, body: object, caller: str) -> Any:
        job = _written(body, "create")
        given = self._translation.new_job(account, group, job_id, job, self._now())
        return _told(self._jobs.create(given, by=job.text("modified_by") or caller))

    def _check(self, account: str, group: str | None = None) -> None:
        if not self._translation.has_account(account):
            raise NotFound(f"account not found: {account[:100]}")
        if group is not None and not NAME.fullmatch(group):
            raise Invalid(f"{group[:100]!r} cannot be a group: up to 64 letters, digits, dots, hyphens and underscores")

    def _id(self, account: str, group: str, job_id: str) -> str:
        self._check(account, group)
        if not _ID.fullmatch(job_id):
            raise NotFound(f"job not found: {job_id[:100]}")
        return f"{account}:{group}:{job_id}"


def jobs_in(jobs: Jobs, *namespace: str, page_size: int = MAX_PAGE) -> Iterator[Job]:
    """All of an account, or of one of its groups, that have an id as Minion's have; others are none of its clients' business."""
    after: str | None = ""
    while after is not None:
        page = jobs.list(JobFilter(namespace=namespace), after=after, limit=page_size)
        yield from (one.job for one in page.jobs if len(one.job.namespace) == 2 and _ID.fullmatch(own_id(one.job)))
        after = page.next


def _told(one: ShownJob) -> Any:
    return wrapped(one.job, one.next_at) or shown(one.job)


def _written(body: object, verb: str) -> Written:
    try:
        return written(body)
    except Invalid as error:
        raise Invalid(f"cannot decode body into {verb} job input: {error}") from error
