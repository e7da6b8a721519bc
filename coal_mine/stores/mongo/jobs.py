"""Jobs in the collection `jobs`: the definition as a text, and beside it what is asked for.

`changed_by_of` is the version for which `changed_by` holds.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from coal_mine.domain.definition import definition_as_text, definition_from_text
from coal_mine.domain.errors import Invalid, job_exists, unknown_job
from coal_mine.domain.job import Job
from coal_mine.domain.job_ports import ChangedJob, JobFilter

from .commands import MAX_STATEMENTS, Commands
from .documents import Document
from .errors import BULK_SECONDS, translated
from .writes import Write

_log = logging.getLogger(__name__)

JOBS = "jobs"
_JOBS_PER_QUERY = 1_000


class MongoJobs:
    """domain.ports.JobStore."""

    def __init__(self, database: Database[Document], commands: Commands) -> None:
        self._jobs: MongoCollection[Document] = database[JOBS]
        self._commands = commands
        self._unreadable: set[str] = set()  # jobs whose definitions we could not read, each logged once

    def add(self, job: Job) -> None:
        with translated():
            try:
                self._jobs.insert_one(document_of(job))
            except DuplicateKeyError as error:
                raise job_exists(job.id) from error

    def get(self, job_id: str) -> Job:
        with translated():
            document = self._jobs.find_one({"_id": job_id})
        if document is None:
            raise unknown_job(job_id)
        return _job_of(document)

    def find(self, job_ids: Collection[str]) -> dict[str, Job]:
        return {document["_id"]: _job_of(document) for document in self._those(job_ids)}

    def versions(self, job_ids: Collection[str]) -> dict[str, int]:
        return {document["_id"]: document["version"] for document in self._those(job_ids, {"version": 1})}

    def _those(self, job_ids: Collection[str], fields: Document | None = None) -> list[Document]:
        wanted = list(job_ids)
        found: list[Document] = []
        with translated():
            for start in range(0, len(wanted), _JOBS_PER_QUERY):
                found += self._jobs.find({"_id": {"$in": wanted[start : start + _JOBS_PER_QUERY]}}, fields)
        return found

    def select(self, wanted: JobFilter, *, after: str = "", limit: int) -> list[Job]:
        condition = _condition_of(wanted)
        condition["_id"] = {**condition.get("_id", {}), "$gt": max(after, condition.get("_id", {}).get("$gt", ""))}
        return [_job_of(document) for document in self._documents(condition, [("_id", 1)], limit)]

    def count(self, wanted: JobFilter) -> int:
        with translated(BULK_SECONDS):
            return self._jobs.count_documents(_condition_of(wanted))

    def tags(self) -> list[str]:
        with translated():
            return sorted(self._jobs.distinct("tags", {"tags": {"$gte": ""}}))

    def replace(self, before: Job, after: Job) -> bool:
        values = document_of(after)
        update: Document = {"$set": {name: value for name, value in values.items() if name not in ("_id", "created_at")}}
        if after.next_at is None:
            update["$unset"] = {"next_at": ""}
        with translated():
            if self._jobs.update_one(_unchanged(before), update).matched_count:
                return True
            self._refuse_unknown(before.id)
        return False

    def remove(self, job: Job) -> Job | None:
        with translated():
            document = self._jobs.find_one_and_delete(_unchanged(job))
            if document is None:
                self._refuse_unknown(job.id)
        return None if document is None else _job_of(document)

    def _refuse_unknown(self, job_id: str) -> None:
        if self._jobs.find_one({"_id": job_id}, {"_id": 1}) is None:
            raise unknown_job(job_id)

    def to_plan(self, until: datetime, *, limit: int) -> list[Job]:
        return list(self._readable(self._documents({"next_at": {"$lte": until}}, [("next_at", 1), ("_id", 1)], limit)))

    def _readable(self, documents: Iterable[Document]) -> Iterator[Job]:
        for document in documents:
            try:
                yield _job_of(document)
            except Invalid as error:
                if document["_id"] not in self._unreadable:
                    self._unreadable.add(document["_id"])
                    _log.error("job %s is not planned, for its definition cannot be read: %s", document["_id"], error)

    def _documents(self, condition: Document, order: list[tuple[str, int]], limit: int, fields: Document | None = None) -> list[Document]:
        if not limit:  # which would be no limit
            return []
        with translated():
            return list(self._jobs.find(condition, fields, sort=order, limit=limit))

    def changed(self, after: tuple[datetime, str], *, limit: int) -> list[ChangedJob]:
        moment, job_id = after
        behind = {"changed_at": {"$gte": moment}, "$or": [{"changed_at": {"$gt": moment}}, {"_id": {"$gt": job_id}}]}
        fields = {"version": 1, "canary_id": 1, "changed_at": 1}
        return [
            ChangedJob(id=found["_id"], version=found["version"], canary_id=found["canary_id"], changed_at=found["changed_at"])
            for found in self._documents(behind, [("changed_at", 1), ("_id", 1)], limit, fields)
        ]

    def planned(self, plans: Sequence[tuple[Job, datetime | None]]) -> int:
        writes = [_move(job, next_at) for job, next_at in plans]
        parts = [writes[start : start + MAX_STATEMENTS] for start in range(0, len(writes), MAX_STATEMENTS)]
        return sum(self._commands.update(JOBS, part).count for part in parts)


def _unchanged(job: Job) -> Document:
    """The condition that nobody has changed it, or deleted it and given its id to another one."""
    return {"_id": job.id, "version": job.version, "created_at": job.created_at}


def _move(job: Job, next_at: datetime | None) -> Write:
    change: dict[str, Any] = {"$unset": {"next_at": ""}} if next_at is None else {"$set": {"next_at": next_at}}
    return Write({"_id": job.id, "version": job.version, "next_at": job.next_at}, change)


def _condition_of(wanted: JobFilter) -> Document:
    given = {"tags": wanted.tag, "pools": wanted.pool, "enabled": wanted.enabled, "name": wanted.name}
    condition: Document = {field: value for field, value in given.items() if value is not None}
    if wanted.namespace:
        first = ":".join(wanted.namespace)
        condition["_id"] = {"$gt": f"{first}:", "$lt": f"{first};"}  # ids sort by their bytes, and the semicolon follows the colon
    return condition


def document_of(job: Job) -> Document:
    definition = job.definition
    document = {
        "_id": job.id,
        "definition": definition_as_text(definition),
        "name": definition.name,
        "tags": list(definition.tags),
        "pools": list(definition.pools),
        "enabled": definition.enabled,
        "canary_id": job.canary_id,
        "version": job.version,
        "created_at": job.created_at,
        "changed_at": job.changed_at,
        "next_at": job.next_at,
        "changed_by": job.changed_by,
        "changed_by_of": job.version,
    }
    return {name: value for name, value in document.items() if value is not None}


def _job_of(document: Document) -> Job:
    return Job(
        id=document["_id"],
        definition=definition_from_text(document["definition"], document["_id"]),
        canary_id=document["canary_id"],
        version=document["version"],
        created_at=document["created_at"],
        changed_at=document["changed_at"],
        next_at=document.get("next_at"),
        changed_by=_changed_by(document),
    )


def _changed_by(document: Document) -> str:
    """Of another version of the job it says nothing: an older program has changed the job since, and left it as it was."""
    return str(document["changed_by"]) if document.get("changed_by_of") == document["version"] else ""
