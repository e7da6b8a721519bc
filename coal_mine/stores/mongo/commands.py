"""Write commands for many documents, repeated until their result is known.

A batch is one command, not the driver's bulk write. The way in which that repeats writes costs every member of a replica set a record for
each of them, and is not to be had from a standalone server. So a batch must be such that repeating it is harmless.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database
from pymongo.errors import ConnectionFailure

from coal_mine.clock import monotonic
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.stores.waiting import Waiting

from .documents import DUPLICATE_KEY, Document
from .errors import CALL_SECONDS, WriteRefused, translated
from .writes import Write

# A message of the driver holds 48 MB and 100,000 statements; smaller ones let others in between.
MAX_BYTES = 8 * 1024 * 1024
MAX_STATEMENTS = 1_000
_DURABLE = {"w": "majority", "j": True}
_HASTY = {"w": 1}
_PAUSE_SECONDS = 0.05
# How a server that resigns or shuts down refuses a write.
_LEAVING = frozenset({91, 189, 10_107, 11_600, 11_602, 13_435, 13_436})


@dataclass(frozen=True, slots=True)
class Written:
    count: int  # of documents that were inserted, deleted, or as a write's condition says
    collided: dict[int, Document]  # by its place among the statements: the pattern of the unique index that refused it


class Commands:
    """All durable on return, unless `hasty`: then it may be lost in a fail-over."""

    def __init__(self, database: Database[Document], waiting: Waiting) -> None:
        self._database = database
        self._waiting = waiting
        self._pause = threading.Event()  # never set: waits between two attempts

    def insert(self, collection: str, documents: Sequence[Document]) -> Written:
        """Those that collide with nothing. After a repetition, what the first attempt inserted collides too."""
        return self._write({"insert": collection, "documents": documents})

    def update(self, collection: str, writes: Iterable[Write], *, multi: bool = False, hasty: bool = False) -> Written:
        updates = [{"q": write.condition, "u": write.update, "multi": multi} for write in writes]
        return self._write({"update": collection, "updates": updates}, hasty=hasty)

    def delete(self, collection: str, conditions: Iterable[Document], *, hasty: bool = False) -> Written:
        return self._write({"delete": collection, "deletes": [{"q": condition, "limit": 0} for condition in conditions]}, hasty=hasty)

    def _write(self, command: Document, *, hasty: bool = False) -> Written:
        """Raises StoreUnavailable when nothing is known after CALL_SECONDS."""
        command |= {"ordered": False, "writeConcern": _HASTY if hasty else _DURABLE}
        expires = monotonic() + CALL_SECONDS
        with self._waiting(), translated():
            while True:
                try:
                    return _written(self._database.command(command))
                except (ConnectionFailure, StoreUnavailable) as error:
                    # A primary that resigns ends its calls with such errors; whether it had written is found out by writing again.
                    if isinstance(error, WriteRefused) or monotonic() + _PAUSE_SECONDS >= expires:
                        raise
                    self._pause.wait(_PAUSE_SECONDS)


def portions(documents: Iterable[tuple[int, Document]]) -> Iterator[list[Document]]:
    """The documents, each given with its size in bytes, in groups that are small enough for one command."""
    portion: list[Document] = []
    total = 0
    for size, document in documents:
        if portion and (total + size > MAX_BYTES or len(portion) == MAX_STATEMENTS):
            yield portion
            portion, total = [], 0
        portion.append(document)
        total += size
    if portion:
        yield portion


def _written(answer: Document) -> Written:
    if answer.get("writeConcernError"):
        raise StoreUnavailable(f"MongoDB: {answer['writeConcernError'].get('errmsg', '')[:300]}")
    faults: list[dict[str, Any]] = answer.get("writeErrors", [])
    for fault in faults:
        if fault["code"] != DUPLICATE_KEY:
            error = StoreUnavailable if fault["code"] in _LEAVING else WriteRefused
            raise error(f"MongoDB: {fault.get('errmsg', '')[:300]}")
    return Written(int(answer["n"]), {fault["index"]: fault["keyPattern"] for fault in faults})
