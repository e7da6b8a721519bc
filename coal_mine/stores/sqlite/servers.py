"""Heartbeats in SQLite. Only one process uses the file, but others did before it, and may have ended uncleanly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from coal_mine.domain.server import Server
from coal_mine.domain.times import from_millis, to_millis

from .database import Database

_BEAT = """
    INSERT INTO servers (id, host, pid, background, version, started_at, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
"""
_ALL = """
    SELECT id, host, pid, background, version, started_at, seen_at, stopped_after, resumed_after FROM servers ORDER BY started_at, id
"""


class SqliteServers:
    """See ports.Servers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, server: Server) -> None:
        times = to_millis(server.started_at), to_millis(server.seen_at)
        values = (server.id, server.host, server.pid, server.background, server.version, *times)
        self._database.write(lambda connection: connection.execute(_BEAT, values).rowcount)

    def end(self, server_id: str) -> None:
        self._database.write(lambda connection: connection.execute("DELETE FROM servers WHERE id = ?", (server_id,)).rowcount)

    def all(self) -> list[Server]:
        with self._database.reading() as connection:
            return [_server_from_row(row) for row in connection.execute(_ALL)]

    def note_stopped(self, server_id: str, after: datetime) -> None:
        self._raise(server_id, "stopped_after", after)

    def note_resumed(self, server_id: str, after: datetime) -> None:
        self._raise(server_id, "resumed_after", after)

    def _raise(self, server_id: str, column: str, after: datetime) -> None:
        query = f"UPDATE servers SET {column} = max(coalesce({column}, 0), ?) WHERE id = ?"
        self._database.write(lambda connection: connection.execute(query, (to_millis(after), server_id)).rowcount)


def _server_from_row(row: Sequence[Any]) -> Server:
    server_id, host, pid, background, version, started_at, seen_at, stopped_after, resumed_after = row
    return Server(
        id=server_id,
        host=host,
        pid=pid,
        background=bool(background),
        version=version,
        started_at=from_millis(started_at),
        seen_at=from_millis(seen_at),
        stopped_after=None if stopped_after is None else from_millis(stopped_after),
        resumed_after=None if resumed_after is None else from_millis(resumed_after),
    )
