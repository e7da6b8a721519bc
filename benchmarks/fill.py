"""Filling a store without its server: a million canaries within a minute."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from coal_mine.domain.canary import Canary, Entry, created
from coal_mine.domain.periodicity import Every
from coal_mine.domain.times import to_millis
from coal_mine.stores.mongo.documents import document_of
from coal_mine.stores.mongo.history import entry_document
from coal_mine.stores.mongo.indexes import Indexes
from coal_mine.stores.sqlite.rows import WRITTEN
from coal_mine.stores.sqlite.store import open_store

_BATCH = 10_000
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
PERIOD = 86_400


def id_of(number: int) -> str:
    """Eight letters, as triggers.lua makes them too."""
    letters = ""
    for _ in range(8):
        number, place = divmod(number, 26)
        letters = _LETTERS[place] + letters
    return letters


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def canary(number: int, *, deadline: datetime | None = None, email: str = "") -> Canary:
    """The numbered canary, triggered a moment ago; with `deadline`, due then."""
    return created(
        id=id_of(number), name=f"canary {number}", slug=f"canary-{number}", description="", periodicity=Every(PERIOD),
        emails=(email,) if email else (), paused=False, at=deadline - timedelta(seconds=PERIOD) if deadline else now(),
    )  # fmt: skip


def entries(count: int) -> Iterator[Entry]:
    """A history of that many triggers, all within the last hours so that none is pruned by age."""
    newest = now() - timedelta(seconds=10)
    return (Entry(newest - timedelta(seconds=place * 10), "Triggered", f"{place:012x}") for place in range(count))


class Filler(Protocol):
    def add(self, canaries: Iterable[Canary], *, history: int = 1) -> None:
        """Write canaries with that many entries each."""

    def all_late(self) -> bool:
        """Has everything been marked late that can be?"""

    def clear(self) -> None: ...


class SqliteFiller:
    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, canaries: Iterable[Canary], *, history: int = 1) -> None:
        open_store(self._path).close()  # creates the tables
        columns = ("id", *WRITTEN)
        insert = f"INSERT INTO canaries ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        with closing(sqlite3.connect(self._path)) as connection:
            for batch in batches(canaries):
                connection.executemany(
                    insert, [(each.id, *(write(getattr(each, name)) for name, write in WRITTEN.items())) for each in batch]
                )
                for each in batch if history else ():
                    rows = [(each.id, to_millis(entry.at), entry.nonce, entry.text) for entry in entries(history)]
                    connection.executemany("INSERT INTO history (canary, at, nonce, text) VALUES (?, ?, ?, ?)", rows)
                connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def all_late(self) -> bool:
        with closing(sqlite3.connect(self._path)) as connection:
            return connection.execute("SELECT 1 FROM canaries WHERE late = 0 AND paused = 0 LIMIT 1").fetchone() is None

    def clear(self) -> None:
        for path in self._path.parent.glob(self._path.name + "*"):
            path.unlink()


class MongoFiller:
    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self.database = database
        self._unhurried = database.client.get_database(database.name, write_concern=WriteConcern(1, j=False))

    def add(self, canaries: Iterable[Canary], *, history: int = 1) -> None:
        for batch in batches(canaries):
            self._unhurried["canaries"].insert_many([document_of(each) for each in batch], ordered=False)
            documents = (entry_document(each.id, entry) for each in batch for entry in entries(history))
            for some in batches(documents):
                self._unhurried["history"].insert_many(some, ordered=False)
        Indexes(self.database).build()
        # All of it is on the disks, or the measurement would pay for writing it.
        self.database.client.admin.command("fsync")

    def all_late(self) -> bool:
        # From the end of the index: its beginning is full of what was marked a moment ago, and reading over it would slow the marking down.
        last = [("paused", -1), ("late", -1), ("deadline", -1)]
        return self.database["canaries"].find_one({"paused": False, "late": False}, {"_id": 1}, sort=last) is None

    def clear(self) -> None:
        self.database.client.drop_database(self.database.name)


def batches(things: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(things)
    while batch := list(islice(rest, _BATCH)):
        yield batch


@contextmanager
def filled(filler: Filler, count: int, *, history: int = 1) -> Iterator[None]:
    filler.add((canary(number) for number in range(count)), history=history)
    try:
        yield
    finally:
        filler.clear()
