"""Canaries and their history in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime

from coal_mine.domain.canary import (
    HISTORY_AGE,
    KEPT_HISTORY,
    MAX_HISTORY,
    ORDINARY,
    Canary,
    Entry,
    Transition,
    Triggered,
    prunes,
    triggered,
)
from coal_mine.domain.errors import id_taken, slug_taken, unknown_id, unknown_slug
from coal_mine.domain.ports import CanaryFilter
from coal_mine.domain.times import END_OF_TIME, from_millis, to_millis

from .database import Database
from .outbox import expand_owed
from .rows import CANARY_COLUMNS, WRITTEN, alert_as_json, canary_from_row, periodicity_from_json

_PAGE = 1_000
_GET = f"SELECT {CANARY_COLUMNS} FROM canaries WHERE id = ?"
_HISTORY = "SELECT at, text, nonce FROM history WHERE canary = ? AND at <= ? ORDER BY at DESC, nonce DESC LIMIT ?"
_ADD_ENTRY = "INSERT OR IGNORE INTO history (canary, at, nonce, text) VALUES (?, ?, ?, ?)"
_ORDINARY = "SELECT periodicity FROM canaries WHERE id = ? AND late = 0 AND paused = 0 AND deadline > ? AND last_event_at <= ?"
_MARK_LATE = """
    UPDATE canaries SET late = 1, owed = json_insert(owed, '$[#]', json_object(
        'kind', 'LATE', 'about', id, 'name', name, 'at', :now, 'deadline', deadline, 'emails', json(emails)))
    WHERE late = 0 AND paused = 0 AND deadline <= :now
"""
_NEXT_DEADLINE = "SELECT min(deadline) FROM canaries WHERE late = 0 AND paused = 0"


class SqliteCanaries:
    """See ports.CanaryStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, canary: Canary, entry: Entry) -> None:
        def work(connection: sqlite3.Connection) -> None:
            columns = ["id", *WRITTEN]
            values = [canary.id, *(write(getattr(canary, name)) for name, write in WRITTEN.items())]
            places = ", ".join("?" * len(columns))
            try:
                connection.execute(f"INSERT INTO canaries ({', '.join(columns)}) VALUES ({places})", values)
            except sqlite3.IntegrityError as error:
                _refuse_taken_slug(connection, canary.slug)
                raise id_taken(canary.id) from error
            _add_entry(connection, canary.id, entry)

        self._database.write(work)

    def get(self, canary_id: str) -> Canary:
        with self._database.reading() as connection:
            return _get(connection, canary_id)

    def id_of_slug(self, slug: str) -> str:
        with self._database.reading() as connection:
            row = connection.execute("SELECT id FROM canaries WHERE slug = ?", (slug,)).fetchone()
        if row is None:
            raise unknown_slug(slug)
        return str(row[0])

    def select(self, wanted: CanaryFilter) -> Iterator[Canary]:
        conditions = ["number > ?"]
        values = []
        for column in ("paused", "late"):
            value = getattr(wanted, column)
            if value is not None:
                conditions.append(f"{column} = ?")
                values.append(int(value))
        query = f"SELECT {CANARY_COLUMNS}, number FROM canaries WHERE {' AND '.join(conditions)} ORDER BY number LIMIT {_PAGE}"
        last = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(query, (last, *values)).fetchall()
            yield from map(canary_from_row, rows)
            if len(rows) < _PAGE:
                return
            last = rows[-1][-1]

    def history(self, canary_id: str, *, limit: int, until: datetime | None = None) -> list[Entry]:
        with self._database.reading() as connection:
            return _history(connection, canary_id, limit, until)

    def histories(self, canary_ids: Sequence[str], *, limit: int) -> dict[str, list[Entry]]:
        with self._database.reading() as connection:
            found = {canary_id: _history(connection, canary_id, limit, None) for canary_id in canary_ids}
        return {canary_id: entries for canary_id, entries in found.items() if entries}

    def apply(self, transition: Transition) -> bool:
        return self._database.write(lambda connection: _apply(connection, transition))

    def remove(self, canary_id: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            canary = _get(connection, canary_id)
            expand_owed(connection, canary.owed)
            connection.execute("DELETE FROM canaries WHERE id = ?", (canary_id,))
            connection.execute("DELETE FROM history WHERE canary = ?", (canary_id,))

        self._database.write(work)

    def trigger(self, canary_id: str, entry: Entry) -> Triggered:
        def work(connection: sqlite3.Connection) -> Triggered:
            found = _trigger(connection, canary_id, entry)
            if prunes(entry):
                _prune(connection, canary_id, entry.at)
            return found

        return self._database.write(work)

    def mark_late(self, now: datetime) -> int:
        return self._database.write(lambda connection: connection.execute(_MARK_LATE, {"now": to_millis(now)}).rowcount)

    def next_deadline(self) -> datetime | None:
        with self._database.reading() as connection:
            (deadline,) = connection.execute(_NEXT_DEADLINE).fetchone()
        return None if deadline is None else from_millis(deadline)


def _get(connection: sqlite3.Connection, canary_id: str) -> Canary:
    row = connection.execute(_GET, (canary_id,)).fetchone()
    if row is None:
        raise unknown_id(canary_id)
    return canary_from_row(row)


def _trigger(connection: sqlite3.Connection, canary_id: str, entry: Entry) -> Triggered:
    """The ordinary case by itself, since nearly every trigger is one; all others as the domain says."""
    at = to_millis(entry.at)
    ordinary = connection.execute(_ORDINARY, (canary_id, at, at)).fetchone()
    if ordinary is None:
        transition, found = triggered(_get(connection, canary_id), entry)
        _apply(connection, transition)
        return found
    deadline = to_millis(periodicity_from_json(ordinary[0]).deadline_after(entry.at))
    connection.execute("UPDATE canaries SET deadline = ?, last_event_at = ? WHERE id = ?", (deadline, at, canary_id))
    connection.execute(_ADD_ENTRY, (canary_id, at, entry.nonce, entry.text))
    return ORDINARY


def _apply(connection: sqlite3.Connection, transition: Transition) -> bool:
    canary_id = transition.before.id
    sets = {name: WRITTEN[name](getattr(transition.after, name)) for name in sorted(transition.changed)}
    if transition.owe or transition.withdraw:
        canary = _get(connection, canary_id)
        if transition.withdraw and transition.withdraw not in canary.owed:
            return False
        sets["owed"] = _owed_after(canary, transition)
    conditions = {name: WRITTEN[name](getattr(transition.before, name)) for name in sorted(transition.depends_on)}
    # `IS` compares NULLs, too. Without a change the update still says whether the canary is as the transition depends on.
    assignments = ", ".join(f"{name} = ?" for name in sets) or "version = version"
    guard = " AND ".join(["id = ?", *(f"{name} IS ?" for name in conditions)])
    query = f"UPDATE canaries SET {assignments} WHERE {guard}"
    try:
        won = connection.execute(query, (*sets.values(), canary_id, *conditions.values())).rowcount == 1
    except sqlite3.IntegrityError:
        _refuse_taken_slug(connection, transition.after.slug)
        raise
    if won and transition.entry:
        _add_entry(connection, canary_id, transition.entry)
    if not won:
        _get(connection, canary_id)  # raises when it does not exist
    return won


def _owed_after(canary: Canary, transition: Transition) -> str:
    owed = [alert for alert in canary.owed if alert != transition.withdraw]
    owed += transition.owe
    return json.dumps([alert_as_json(alert) for alert in owed])


def _refuse_taken_slug(connection: sqlite3.Connection, slug: str) -> None:
    row = connection.execute("SELECT id FROM canaries WHERE slug = ?", (slug,)).fetchone()
    if row:
        raise slug_taken(slug, row[0])


def _add_entry(connection: sqlite3.Connection, canary_id: str, entry: Entry) -> None:
    connection.execute(_ADD_ENTRY, (canary_id, to_millis(entry.at), entry.nonce, entry.text))


def _history(connection: sqlite3.Connection, canary_id: str, limit: int, until: datetime | None) -> list[Entry]:
    rows = connection.execute(_HISTORY, (canary_id, to_millis(until or END_OF_TIME), limit))
    return [Entry(from_millis(at), text, nonce) for at, text, nonce in rows]


def _prune(connection: sqlite3.Connection, canary_id: str, now: datetime) -> None:
    def nth_newest(place: int) -> int:
        row = connection.execute("SELECT at FROM history WHERE canary = ? ORDER BY at DESC LIMIT 1 OFFSET ?", (canary_id, place)).fetchone()
        return row[0] if row else 0

    cut_off = max(nth_newest(MAX_HISTORY - 1), min(nth_newest(KEPT_HISTORY - 1), to_millis(now - HISTORY_AGE)))
    connection.execute("DELETE FROM history WHERE canary = ? AND at < ?", (canary_id, cut_off))
