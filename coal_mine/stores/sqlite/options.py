"""The cluster's options in SQLite."""

from __future__ import annotations

import sqlite3

from .database import Database

_SET = "INSERT INTO options (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text"


class SqliteOptions:
    """See ports.OptionStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, str]:
        with self._database.reading() as connection:
            return dict(connection.execute("SELECT name, text FROM options ORDER BY name"))

    def set(self, name: str, text: str) -> str | None:
        def work(connection: sqlite3.Connection) -> str | None:
            before = _get(connection, name)
            connection.execute(_SET, (name, text))
            return before

        return self._database.write(work)

    def unset(self, name: str) -> str | None:
        def work(connection: sqlite3.Connection) -> str | None:
            before = _get(connection, name)
            connection.execute("DELETE FROM options WHERE name = ?", (name,))
            return before

        return self._database.write(work)


def _get(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT text FROM options WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])
