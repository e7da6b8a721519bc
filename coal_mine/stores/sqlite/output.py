"""What runs have written, in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from coal_mine.domain.output import Chunk, pack, unpack

from .database import Database

_ADD = "INSERT INTO output (run_id, attempt, begins, ends, frames) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_DROP = "DELETE FROM output WHERE run_id = ? AND attempt = ? AND begins >= ? AND ends <= ?"
_END = "SELECT ends FROM output WHERE run_id = ? AND attempt = ? ORDER BY begins DESC LIMIT 1"
# Chunks do not overlap, so only the last one that begins at the offset or before can reach behind it; the earlier ones need no look.
_READ = """
    SELECT begins, ends, frames FROM output
    WHERE run_id = :run AND attempt = :attempt AND ends > :offset AND begins >= coalesce(
        (SELECT max(begins) FROM output WHERE run_id = :run AND attempt = :attempt AND begins <= :offset), :offset)
    ORDER BY begins
"""


class SqliteOutput:
    """See job_ports.OutputStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, chunks: Sequence[Chunk]) -> None:
        rows = [(chunk.run_id, chunk.attempt, chunk.offset, chunk.end, pack(chunk.frames)) for chunk in chunks]
        self._database.write(lambda connection: connection.executemany(_ADD, rows).rowcount)

    def drop(self, run_id: str, attempt: int, *, start: int, end: int) -> None:
        self._database.write(lambda connection: connection.execute(_DROP, (run_id, attempt, start, end)).rowcount)

    def end(self, run_id: str, attempt: int) -> int:
        with self._database.reading() as connection:
            row = connection.execute(_END, (run_id, attempt)).fetchone()
        return row[0] if row else 0

    def read(self, run_id: str, attempt: int, *, offset: int, limit: int) -> list[Chunk]:
        values = {"run": run_id, "attempt": attempt, "offset": offset}
        found: list[Chunk] = []
        held = 0
        with self._database.reading() as connection, closing(connection.execute(_READ, values)) as rows:
            for begins, ends, frames in rows:
                found.append(Chunk(run_id=run_id, attempt=attempt, offset=begins, frames=tuple(unpack(frames))))
                held += ends - begins
                if held >= limit:
                    break
        return found
