"""The audit log in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditKind
from coal_mine.domain.key import Key
from coal_mine.domain.times import from_millis, to_millis

from .database import Database
from .groups import rows_of

_COLUMNS = ("id", "at", "kind", "subject", "by", "old", "new")
_KEY = ("at", "id", "subject", "kind")
_ADD = f"INSERT INTO audit ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM audit"
_FORGET = "DELETE FROM audit WHERE id IN (SELECT id FROM audit INDEXED BY audit_by_time WHERE at < ? ORDER BY at, id LIMIT ?)"


class SqliteAudit:
    """See audit.AuditStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entries: Sequence[AuditEntry]) -> None:
        rows = [(one.id, to_millis(one.at), one.kind, one.subject, one.by, one.old, one.new) for one in entries]
        if rows:
            self._database.write(lambda connection: connection.executemany(_ADD, rows).rowcount)

    def select(self, wanted: AuditFilter, *, limit: int) -> list[AuditEntry]:
        condition, values = _condition(wanted)
        query = f"{_SELECT} {condition} ORDER BY at DESC, id DESC LIMIT ?"
        with self._database.reading() as connection:
            return [_entry_from_row(row) for row in rows_of(connection, _COLUMNS, query, (*values, limit))]

    def keys(self, wanted: AuditFilter, *, limit: int) -> list[Key[AuditKind]]:
        condition, values = _condition(wanted)
        query = f"SELECT {', '.join(_KEY)} FROM audit {condition} ORDER BY at DESC, id DESC LIMIT ?"
        with self._database.reading() as connection:
            rows = rows_of(connection, _KEY, query, (*values, limit))
        return [Key(at=from_millis(at), id=entry_id, about=subject, what=AuditKind(kind)) for at, entry_id, subject, kind in rows]

    def find(self, entry_ids: Collection[str]) -> dict[str, AuditEntry]:
        query = f"{_SELECT} WHERE id IN (SELECT value FROM json_each(?))"
        with self._database.reading() as connection:
            return {row[0]: _entry_from_row(row) for row in rows_of(connection, _COLUMNS, query, (json.dumps(list(entry_ids)),))}

    def forget(self, before: datetime, *, limit: int) -> int:
        values = (to_millis(before), limit)

        def work(connection: sqlite3.Connection) -> int:
            return connection.execute(_FORGET, values).rowcount

        return self._database.write(work)


def _condition(wanted: AuditFilter) -> tuple[str, list[Any]]:
    """From the index to the conditions, and their values."""
    given: dict[str, Any] = {
        "subject = ?": wanted.subject,
        "at >= ?": None if wanted.since is None else to_millis(wanted.since),
        "at < ?": None if wanted.until is None else to_millis(wanted.until),
    }
    conditions = {condition: value for condition, value in given.items() if value is not None}
    index = "audit_by_time" if wanted.subject is None else "audit_by_subject"
    return f"INDEXED BY {index} WHERE {' AND '.join(['1', *conditions])}", list(conditions.values())


def _entry_from_row(row: Sequence[Any]) -> AuditEntry:
    entry_id, at, kind, subject, by, old, new = row
    return AuditEntry(id=entry_id, at=from_millis(at), kind=AuditKind(kind), subject=subject, by=by, old=old, new=new)
