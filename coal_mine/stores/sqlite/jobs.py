"""Jobs in SQLite."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from coal_mine.domain.definition import definition_as_text, definition_from_text
from coal_mine.domain.errors import Invalid, job_exists, unknown_job
from coal_mine.domain.job import Definition, Job
from coal_mine.domain.job_ports import ChangedJob, JobFilter
from coal_mine.domain.times import from_millis, to_millis

from .database import Database
from .groups import as_parameter, given, rows_of

_log = logging.getLogger(__name__)

_COLUMNS = ("id", "canary_id", "version", "created_at", "changed_at", "next_at", "definition", "changed_by")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM jobs"
_GIVEN_IDS = "id IN (SELECT value FROM json_each(?))"
_ADD = """
    INSERT INTO jobs (id, created_at, name, enabled, canary_id, version, changed_at, next_at, definition, changed_by)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO NOTHING
"""
_REPLACE = """
    UPDATE jobs SET name = ?, enabled = ?, canary_id = ?, version = ?, changed_at = ?, next_at = ?, definition = ?, changed_by = ?
    WHERE id = ?
"""
_TO_PLAN = f"{_SELECT} INDEXED BY jobs_to_plan WHERE next_at IS NOT NULL AND next_at <= ? ORDER BY next_at, id LIMIT ?"
_CHANGED = """
    SELECT id, version, canary_id, changed_at FROM jobs WHERE (changed_at, id) > (?, ?) ORDER BY changed_at, id LIMIT ?
"""
# The plus keeps SQLite from looking for the job by its time.
_PLANNED = f"""
    UPDATE jobs SET next_at = given.next_at FROM {given(("id", "version", "planned_at", "next_at"))}
    WHERE jobs.id = given.id AND jobs.version = given.version AND +jobs.next_at IS given.planned_at
"""
_FIND_BY_WORD = "id IN (SELECT job FROM job_words WHERE kind = ? AND word = ?)"


class SqliteJobs:
    """See job_ports.JobStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unreadable: set[str] = set()  # jobs whose definitions we could not read, each logged once

    def add(self, job: Job) -> None:
        values = (job.id, to_millis(job.created_at), *_written(job))

        def work(connection: sqlite3.Connection) -> None:
            if not connection.execute(_ADD, values).rowcount:
                raise job_exists(job.id)
            _add_words(connection, job.id, job.definition)

        self._database.write(work)

    def get(self, job_id: str) -> Job:
        with self._database.reading() as connection:
            return _get(connection, job_id)

    def find(self, job_ids: Collection[str]) -> dict[str, Job]:
        return {job.id: job for job in self._jobs(f"{_SELECT} WHERE {_GIVEN_IDS}", (json.dumps(list(job_ids)),))}

    def versions(self, job_ids: Collection[str]) -> dict[str, int]:
        with self._database.reading() as connection:
            query = f"SELECT id, version FROM jobs WHERE {_GIVEN_IDS}"
            return dict(rows_of(connection, ("id", "version"), query, (json.dumps(list(job_ids)),)))

    def select(self, wanted: JobFilter, *, after: str = "", limit: int) -> list[Job]:
        condition, values = _condition(wanted)
        return self._jobs(f"{_SELECT} WHERE {condition} AND id > ? ORDER BY id LIMIT ?", (*values, after, limit))

    def count(self, wanted: JobFilter) -> int:
        condition, values = _condition(wanted)
        with self._database.reading() as connection:
            (found,) = connection.execute(f"SELECT count(*) FROM jobs WHERE {condition}", values).fetchone()
        return int(found)

    def tags(self) -> list[str]:
        with self._database.reading() as connection:
            query = "SELECT DISTINCT word FROM job_words WHERE kind = 'tag' ORDER BY word"
            return [word for (word,) in connection.execute(query)]

    def replace(self, before: Job, after: Job) -> bool:
        values = (*_written(after), before.id)

        def work(connection: sqlite3.Connection) -> bool:
            there = _get(connection, before.id)
            if not _is_unchanged(there, before):
                return False
            connection.execute(_REPLACE, values)
            _remove_words(connection, there)
            _add_words(connection, there.id, after.definition)
            return True

        return self._database.write(work)

    def remove(self, job: Job) -> Job | None:
        def work(connection: sqlite3.Connection) -> Job | None:
            there = _get(connection, job.id)
            if not _is_unchanged(there, job):
                return None
            connection.execute("DELETE FROM jobs WHERE id = ?", (job.id,))
            _remove_words(connection, there)
            return there

        return self._database.write(work)

    def to_plan(self, until: datetime, *, limit: int) -> list[Job]:
        with self._database.reading() as connection:
            rows = rows_of(connection, _COLUMNS, _TO_PLAN, (to_millis(until), limit))
        return list(self._readable(rows))

    def _readable(self, rows: Iterable[Sequence[Any]]) -> Iterator[Job]:
        for row in rows:
            try:
                yield _job_from_row(row)
            except Invalid as error:
                if row[0] not in self._unreadable:
                    self._unreadable.add(row[0])
                    _log.error("job %s is not planned, for its definition cannot be read: %s", row[0], error)

    def changed(self, after: tuple[datetime, str], *, limit: int) -> list[ChangedJob]:
        with self._database.reading() as connection:
            columns = ("id", "version", "canary_id", "changed_at")
            rows = rows_of(connection, columns, _CHANGED, (to_millis(after[0]), after[1], limit))
        return [
            ChangedJob(id=job_id, version=version, canary_id=canary_id, changed_at=from_millis(changed_at))
            for job_id, version, canary_id, changed_at in rows
        ]

    def planned(self, plans: Sequence[tuple[Job, datetime | None]]) -> int:
        rows = as_parameter((job.id, job.version, _millis(job.next_at), _millis(next_at)) for job, next_at in plans)
        return self._database.write(lambda connection: connection.execute(_PLANNED, (rows,)).rowcount)

    def _jobs(self, query: str, values: Sequence[Any]) -> list[Job]:
        with self._database.reading() as connection:
            rows = rows_of(connection, _COLUMNS, query, values)
        return [_job_from_row(row) for row in rows]


def _get(connection: sqlite3.Connection, job_id: str) -> Job:
    row = connection.execute(f"{_SELECT} WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise unknown_job(job_id)
    return _job_from_row(row)


def _is_unchanged(there: Job, before: Job) -> bool:
    """Whether nobody has changed it, or deleted it and given its id to another one."""
    return (there.version, there.created_at) == (before.version, before.created_at)


def _condition(wanted: JobFilter) -> tuple[str, list[Any]]:
    conditions: list[tuple[str, tuple[Any, ...]]] = [("1", ())]
    if wanted.namespace:
        prefix = ":".join(wanted.namespace)
        conditions.append(("id >= ? AND id < ?", (f"{prefix}:", f"{prefix};")))  # the semicolon comes right behind the colon
    if wanted.tag is not None:
        conditions.append((_FIND_BY_WORD, ("tag", wanted.tag)))
    if wanted.pool is not None:
        conditions.append((_FIND_BY_WORD, ("pool", wanted.pool)))
    if wanted.enabled is not None:
        conditions.append(("enabled = ?", (wanted.enabled,)))
    if wanted.name is not None:
        conditions.append(("name = ?", (wanted.name,)))
    return " AND ".join(condition for condition, _ in conditions), [value for _, values in conditions for value in values]


def _words(job_id: str, definition: Definition) -> list[tuple[str, str, str]]:
    tags = [("tag", tag, job_id) for tag in definition.tags]
    return tags + [("pool", pool, job_id) for pool in definition.pools]


def _add_words(connection: sqlite3.Connection, job_id: str, definition: Definition) -> None:
    query = "INSERT INTO job_words (kind, word, job) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    connection.executemany(query, _words(job_id, definition))


def _remove_words(connection: sqlite3.Connection, job: Job) -> None:
    connection.executemany("DELETE FROM job_words WHERE kind = ? AND word = ? AND job = ?", _words(job.id, job.definition))


def _written(job: Job) -> tuple[Any, ...]:
    """All that can change, in the order of the queries above."""
    one = job.definition
    times = to_millis(job.changed_at), _millis(job.next_at)
    return (one.name, one.enabled, job.canary_id, job.version, *times, definition_as_text(one), job.changed_by)


def _millis(moment: datetime | None) -> int | None:
    return None if moment is None else to_millis(moment)


def _job_from_row(row: Sequence[Any]) -> Job:
    job_id, canary_id, version, created_at, changed_at, next_at, definition, changed_by = row
    return Job(
        id=job_id,
        definition=definition_from_text(definition, job_id),
        canary_id=canary_id,
        version=version,
        created_at=from_millis(created_at),
        changed_at=from_millis(changed_at),
        next_at=None if next_at is None else from_millis(next_at),
        changed_by=changed_by,
    )
