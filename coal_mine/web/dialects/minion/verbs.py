"""What Minion's clients do with jobs, by the same services as the native API."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from coal_mine.domain.definition import NAME, NAME_RULE
from coal_mine.domain.errors import Changed, Invalid, NotFound, StoreUnavailable
from coal_mine.domain.job import Job
from coal_mine.domain.job_ports import JobFilter
from coal_mine.services.job_list import JobList
from coal_mine.services.jobs import Jobs, ShownJob
from coal_mine.services.run_requests import RunRequest
from coal_mine.services.runs import Runs

from .translation import Translation, own_id, shown, wrapped
from .written import Written, written

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MAX_TRIES = 1_000


class Verbs:
    """`account`, `group` and `job` are a path's, `by` is who calls. Each raises NotFound for an account that is not configured."""

    def __init__(
        self, jobs: Jobs, job_list: JobList, runs: Runs, translation: Translation, *,
        now: Callable[[], datetime], new_id: Callable[[], str],
    ) -> None:  # fmt: skip
        """`new_id` draws a UUID."""
        self._jobs = jobs
        self._job_list = job_list
        self._runs = runs
        self._translation = translation
        self._now = now
        self._new_id = new_id

    def of_account(self, account: str) -> list[str]:
        self._check(account)
        return [f"{found.namespace[1]}/{own_id(found)}" for found in self._in(account)]

    def of_group(self, account: str, group: str) -> list[str]:
        self._check(account, group)
        return [own_id(found) for found in self._in(account, group)]

    def get(self, account: str, group: str, job: str) -> Any:
        full_id = self._id(account, group, job)
        with _missing_as(job):
            return _told(self._jobs.get(full_id))

    def create(self, account: str, group: str, *, body: object, by: str) -> Any:
        self._check(account, group)
        return self._created(account, group, self._new_id(), body, by)

    def place(self, account: str, group: str, job: str, *, body: object, by: str) -> Any:
        """Create it under an id that it has had elsewhere. Raises Conflict when there is one."""
        self._check(account, group)
        if not _ID.fullmatch(job):
            raise Invalid(f"{job[:100]!r} cannot be the id of a job: it must be a UUID, in small letters")
        return self._created(account, group, job, body, by)

    def replace(self, account: str, group: str, job: str, *, body: object, by: str) -> Any:
        """All that Minion has words for."""
        full_id = self._id(account, group, job)
        given = _written(body, "update")
        with _missing_as(job):
            return _told(self._changed(full_id, lambda old: self._translation.changes(old, given, self._now()), by))

    def delete(self, account: str, group: str, job: str, *, by: str) -> None:
        """One that does not exist is as good as deleted."""
        self._check(account, group)
        try:
            self._jobs.delete(self._id(account, group, job), by=by)
        except NotFound:
            return

    def delete_group(self, account: str, group: str, *, by: str) -> None:
        self._check(account, group)
        for found in self._in(account, group):
            self.delete(account, group, own_id(found), by=by)

    def run(self, account: str, group: str, job: str, *, by: str) -> None:
        """Also a disabled one. Raises NotFound, and Invalid when its runner is not one that the account may use.

        The configuration may have changed since the job was written; then it follows first.
        """
        full_id = self._id(account, group, job)
        with _missing_as(job):
            self._changed(full_id, lambda old: self._checked_repair(account, old), by)
            self._runs.start(full_id, RunRequest())

    def _checked_repair(self, account: str, job: Job) -> dict[str, Any]:
        self._translation.check_runner(account, job)
        return self._translation.repair(job)

    def _changed(self, full_id: str, changes_of: Callable[[Job], dict[str, Any]], by: str) -> ShownJob:
        """What somebody else changes meanwhile is seen before, and never undone."""
        for _ in range(_MAX_TRIES):
            old = self._jobs.get(full_id)
            changes = changes_of(old.job)
            if not changes:
                return old
            try:
                return self._jobs.patch(full_id, changes, version=old.job.version, by=by)
            except Changed:
                continue
        raise StoreUnavailable(f"job {full_id} changes all the time")

    def _created(self, account: str, group: str, new_id: str, body: object, by: str) -> Any:
        given = self._translation.new_job(account, group, new_id, _written(body, "create"), self._now())
        return _told(self._jobs.create(given, by=by))

    def _in(self, *namespace: str) -> list[Job]:
        """All of an account, or of one of its groups, that have an id as Minion's have; others are none of its clients' business."""
        found = self._job_list.each(JobFilter(namespace=namespace))
        return [job for job in found if len(job.namespace) == 2 and _ID.fullmatch(own_id(job))]

    def _check(self, account: str, group: str | None = None) -> None:
        if not self._translation.has_account(account):
            raise NotFound(f"account not found: {account[:100]}")
        if group is not None and not NAME.fullmatch(group):
            raise Invalid(f"{group[:100]!r} cannot be a group: {NAME_RULE}")

    def _id(self, account: str, group: str, job: str) -> str:
        self._check(account, group)
        if not _ID.fullmatch(job):
            raise _missing(job)
        return f"{account}:{group}:{job}"


def _missing(job: str) -> NotFound:
    return NotFound(f"job not found: {job[:100]}")


@contextmanager
def _missing_as(job: str) -> Iterator[None]:
    """Whoever asks for a job that does not exist hears of it by the id that the path has, and not by ours."""
    try:
        yield
    except NotFound as error:
        raise _missing(job) from error


def _told(one: ShownJob) -> Any:
    return wrapped(one.job, one.next_at) or shown(one.job)


def _written(body: object, verb: str) -> Written:
    try:
        return written(body)
    except Invalid as error:
        raise Invalid(f"cannot decode body into {verb} job input: {error}") from error
