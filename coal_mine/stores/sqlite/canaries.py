"""Canaries and their history in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from coal_mine.domain.canary import Canary, Entry, Transition, Triggered
from coal_mine.domain.errors import id_taken, unknown_slug
from coal_mine.domain.pending import PendingTrigger
from coal_mine.domain.ports import TRIGGER_SECONDS, CanaryFilter
from coal_mine.domain.times import END_OF_TIME, from_millis, to_millis
from coal_mine.stores.precedence import Precedence
from coal_mine.stores.waiting import trigger_and_wait

from .changes import add_entry, apply, get, refuse_taken_slug
from .database import Database
from .outbox import expand_owed
from .rows import CANARY_COLUMNS, WRITTEN, canary_from_row

_PAGE = 1_000
# So many are marked late in one transaction, in about 25 ms: triggers that come meanwhile wait for its end.
_MARKED_AT_ONCE = 5_000
_HISTORY = "SELECT at, text, nonce FROM history WHERE canary = ? AND at <= ? ORDER BY at DESC, nonce DESC LIMIT ?"
_MARK_LATE = """
    UPDATE canaries SET late = 1, owed = json_insert(owed, '$[#]', json_object(
        'kind', 'LATE', 'about', id, 'name', name, 'at', :now, 'deadline', deadline, 'emails', json(emails)))
    WHERE number IN (SELECT number FROM canaries WHERE late = 0 AND paused = 0 AND deadline <= :now ORDER BY deadline LIMIT :most)
"""
_FOLLOWED = """
    SELECT id, coalesce(periodicity ->> 'job_version', 0) FROM canaries
    WHERE id IN (SELECT value FROM json_each(?)) AND periodicity ->> 'job' IS NOT NULL
"""
_NEXT_DEADLINE = "SELECT min(deadline) FROM canaries WHERE late = 0 AND paused = 0"


class SqliteCanaries:
    """See ports.CanaryStore."""

    def __init__(self, database: Database, precedence: Precedence) -> None:
        self._database = database
        self._precedence = precedence

    def add(self, canary: Canary, entry: Entry) -> None:
        def work(connection: sqlite3.Connection) -> None:
            columns = ["id", *WRITTEN]
            values = [canary.id, *(write(getattr(canary, name)) for name, write in WRITTEN.items())]
            places = ", ".join("?" * len(columns))
            try:
                connection.execute(f"INSERT INTO canaries ({', '.join(columns)}) VALUES ({places})", values)
            except sqlite3.IntegrityError as error:
                refuse_taken_slug(connection, canary.slug)
                raise id_taken(canary.id) from error
            add_entry(connection, canary.id, entry)

        self._database.write(work)

    def get(self, canary_id: str) -> Canary:
        with self._database.reading() as connection:
            return get(connection, canary_id)

    def followed(self, canary_ids: Collection[str]) -> dict[str, int]:
        with self._database.reading() as connection:
            return dict(connection.execute(_FOLLOWED, (json.dumps(list(canary_ids)),)).fetchall())

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
        return self._database.write(lambda connection: apply(connection, transition))

    def remove(self, canary_id: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            canary = get(connection, canary_id)
            expand_owed(connection, canary.owed)
            connection.execute("DELETE FROM canaries WHERE id = ?", (canary_id,))
            connection.execute("DELETE FROM history WHERE canary = ?", (canary_id,))

        self._database.write(work)

    def trigger(self, canary_id: str, entry: Entry) -> Triggered:
        return trigger_and_wait(self.submit, canary_id, entry, TRIGGER_SECONDS)

    def submit(self, pending: PendingTrigger) -> None:
        self._database.submit(pending)

    def mark_late(self, now: datetime) -> int:
        values = {"now": to_millis(now), "most": _MARKED_AT_ONCE}
        count = 0
        with self._precedence.marking():
            while True:
                marked = self._database.write(lambda connection: connection.execute(_MARK_LATE, values).rowcount)
                count += marked
                if marked < _MARKED_AT_ONCE:
                    return count

    def next_deadline(self) -> datetime | None:
        with self._database.reading() as connection:
            (deadline,) = connection.execute(_NEXT_DEADLINE).fetchone()
        return None if deadline is None else from_millis(deadline)


def _history(connection: sqlite3.Connection, canary_id: str, limit: int, until: datetime | None) -> list[Entry]:
    rows = connection.execute(_HISTORY, (canary_id, to_millis(until or END_OF_TIME), limit))
    return [Entry(from_millis(at), text, nonce) for at, text, nonce in rows]
