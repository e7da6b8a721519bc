"""Write commands for the group commit, which repeats what failed by itself.

The driver's own way of repeating writes costs a record for each one of them on every member of a replica set, about a quarter of all work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pymongo.database import Database

from coal_mine.domain.errors import StoreUnavailable

from .documents import DUPLICATE_KEY, Document
from .errors import WriteRefused

_DURABLE = {"w": "majority", "j": True}
_HASTY = {"w": 1}


class Write(NamedTuple):
    """Change the documents that are as the condition says."""

    condition: Document
    update: Document | list[Document]


class Writer:
    """Inserts, followed by updates; when an update returns, both are durable. For one thread.

    On a replica set an insert is not waited for. What one primary has written before something else is replicated before it, so an update
    that a majority has vouches for the inserts before it, provided that no other primary came in between. The term of office, which every
    answer names, tells. A standalone server names none; it syncs its journal for each.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._has_terms = False
        self._term: int | None = None  # of the insert

    def insert_missing(self, collection: str, documents: list[Document]) -> None:
        """Those that are there already stay as they are."""
        answer = self._database.command(
            {"insert": collection, "ordered": False, "writeConcern": _HASTY if self._has_terms else _DURABLE, "documents": documents}
        )
        _check(answer, ignored=(DUPLICATE_KEY,))
        self._term = _term(answer)
        if self._has_terms and self._term is None:
            self._has_terms = False
            raise StoreUnavailable("MongoDB: the server is no longer a member of a replica set")
        self._has_terms = self._term is not None

    def update_each(self, collection: str, writes: Sequence[Write]) -> int:
        """How many documents were as a condition says. Raises StoreUnavailable if inserts may be lost; then all has to be repeated."""
        updates = [{"q": write.condition, "u": write.update, "multi": True} for write in writes]
        answer = self._database.command({"update": collection, "ordered": False, "writeConcern": _DURABLE, "updates": updates})
        _check(answer)
        if _term(answer) != self._term:
            raise StoreUnavailable("MongoDB: the primary has changed")
        return int(answer["n"])

    def wait(self, collection: str) -> None:
        """Until all that was read or inserted before is durable: an update without effect waits for everything before it."""
        self.update_each(collection, [Write({"_id": None}, {"$set": {"id": None}})])


def _term(answer: Document) -> int | None:
    term = answer.get("opTime", {}).get("t")
    return None if term is None else int(term)


def _check(answer: Document, ignored: Iterable[int] = ()) -> None:
    faults: list[dict[str, Any]] = [fault for fault in answer.get("writeErrors", ()) if fault["code"] not in ignored]
    if answer.get("writeConcernError"):
        raise StoreUnavailable(f"MongoDB: {answer['writeConcernError'].get('errmsg', '')[:300]}")
    if faults:
        raise WriteRefused(f"MongoDB: {faults[0].get('errmsg', '')[:300]}")
