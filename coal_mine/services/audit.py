"""What is written into the audit log.

An entry of a job is written after the change that it is about, and before anything else follows from it. Whoever dies in between leaves a
job whose canary does not follow it yet, and whoever notices that writes the same entry: the job itself says who has made the change and
when, and the entry before this one what it was before. So an entry can be lost only of a job that was deleted, and of an option, when the
process that changed it died right then.

Whoever repeats adds an entry even if it is there: the store keeps the first, and what is to follow from an entry may not have followed.
What has followed is known from the canary, which is the last that does; then only an entry that is missing is written, as that of a job
that somebody has disabled to delete it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditKind, AuditStore
from coal_mine.domain.definition import definition_as_text
from coal_mine.domain.job import Job
from coal_mine.domain.times import to_millis

MAX_BY = 255
# An entry that is missing for longer was forgotten, or the change was made before there was an audit log.
_REPEATED_WITHIN = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)


class JobAudit:
    """Changes of jobs. Each call may be repeated."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    def created(self, job: Job) -> None:
        self._store.add([_created(job)])

    def changed(self, before: Job, after: Job) -> None:
        self._store.add([_entry(after, AuditKind.CHANGED, old=definition_as_text(before.definition))])

    def deleted(self, job: Job, by: str, now: datetime) -> None:
        """The job as it was before."""
        entry = AuditEntry(
            id=f"{_identity(job)}|{AuditKind.DELETED}", at=now, kind=AuditKind.DELETED, subject=job.id, by=printed(by),
            old=definition_as_text(job.definition),
        )  # fmt: skip
        self._store.add([entry])

    def repeat(self, job: Job, now: datetime, *, only_if_missing: bool = False) -> None:
        """Write of its latest change, since whoever has made it may not have come to it; not of one that nobody has repeated for long.

        `only_if_missing`: what is to follow from an entry that is there has followed.
        """
        if now - job.changed_at > _REPEATED_WITHIN:
            return
        newest = self._store.select(AuditFilter(subject=job.id, until=job.changed_at + _MILLISECOND), limit=1)
        is_there = bool(newest) and newest[0].id == _id(job)
        if not is_there:
            self._store.add([_created(job) if job.version == 1 else _entry(job, AuditKind.CHANGED, old=newest[0].new if newest else "")])
        elif not only_if_missing:
            self._store.add(newest)


class OptionAudit:
    """Changes of what the whole cluster has one of."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    def changed(self, name: str, old: str, new: str, by: str, now: datetime) -> None:
        """JSON texts; empty: it was not, or is no longer set. What is as it was is no change."""
        if old == new:
            return
        digest = hashlib.blake2b(f"{old}\0{new}".encode(), digest_size=6).hexdigest()
        entry_id = f"{AuditKind.OPTION}|{name}|{to_millis(now)}|{digest}"
        self._store.add([AuditEntry(id=entry_id, at=now, kind=AuditKind.OPTION, subject=name, by=printed(by), old=old, new=new)])


def printed(by: str) -> str:
    """Who calls, from what a stranger says."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in by[:MAX_BY])


def _created(job: Job) -> AuditEntry:
    return _entry(job, AuditKind.CREATED)


def _entry(job: Job, kind: AuditKind, *, old: str = "") -> AuditEntry:
    """Of the change that gave the job the version that it has."""
    return AuditEntry(
        id=_id(job), at=job.changed_at, kind=kind, subject=job.id, by=job.changed_by, old=old, new=definition_as_text(job.definition)
    )


def _id(job: Job) -> str:
    return f"{_identity(job)}|{job.version}"


def _identity(job: Job) -> str:
    """Another job may get the id of one that was deleted."""
    return f"{job.id}|{to_millis(job.created_at)}"
