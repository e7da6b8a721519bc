"""Histories: a collection of their own, in which the `_id` alone orders one canary's entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from coal_mine.domain.canary import HISTORY_AGE, KEPT_HISTORY, MAX_HISTORY, Entry
from coal_mine.domain.times import to_millis

from .documents import Document, insert_missing

HISTORY = "history"
_CANARIES_PER_QUERY = 1_000


def _key(canary_id: str, at: datetime, nonce: str = "") -> str:
    """Sorts like the time. Thirteen digits of milliseconds last until the year 2286."""
    return f"{canary_id}|{to_millis(at):013}|{nonce}"


def _end(canary_id: str) -> str:
    """Behind all keys of a canary: `~` sorts after every digit."""
    return f"{canary_id}|~"


def entry_document(canary_id: str, entry: Entry) -> Document:
    return {"_id": _key(canary_id, entry.at, entry.nonce), "at": entry.at, "text": entry.text}


def _entry(document: Document) -> Entry:
    return Entry(document["at"], document["text"], document["_id"].split("|", 2)[2])


class History:
    """The collection `history` (HISTORY), read together with the entries that a predecessor left inside the canaries.

    The caller translates the driver's errors.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._entries = database[HISTORY]
        # Pruning that a crash undoes is done again; it need not wait for disks.
        self._unhurried: Collection[Document] = self._entries.with_options(write_concern=WriteConcern(1))
        self._canaries = database["canaries"]

    def add(self, entries: Iterable[tuple[str, Entry]]) -> None:
        """Durable on return. What is there already stays as it is, so that a write whose result is unknown can be repeated."""
        insert_missing(self._entries, [entry_document(canary_id, entry) for canary_id, entry in entries])

    def discard(self, canary_id: str, entries: Iterable[Entry]) -> None:
        """Take back entries that turned out to belong to nothing."""
        keys = [_key(canary_id, entry.at, entry.nonce) for entry in entries]
        self._unhurried.delete_many({"_id": {"$in": keys}})

    def remove(self, canary_id: str) -> None:
        self._unhurried.delete_many({"_id": {"$gte": f"{canary_id}|", "$lt": _end(canary_id)}})

    def newest(self, canary_id: str, *, limit: int, until: datetime | None) -> list[Entry]:
        # Embedded first: an entry that is moved between the two reads is then seen twice rather than not at all.
        document = self._canaries.find_one({"id": canary_id, "history": {"$exists": True}}, {"_id": 0, "id": 1, "history": 1})
        embedded = embedded_entries(document) if document else []
        end = _end(canary_id) if until is None else _key(canary_id, until) + "~"
        found = self._entries.find({"_id": {"$gte": f"{canary_id}|", "$lt": end}}).sort("_id", -1).limit(limit)
        return _merged([_entry(each) for each in found], [e for e in embedded if until is None or e.at <= until], limit)

    def newest_of_each(self, canary_ids: Sequence[str], *, limit: int) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        ids = iter(canary_ids)
        while some := list(islice(ids, _CANARIES_PER_QUERY)):
            with_history = {"id": {"$in": some}, "history": {"$exists": True}}
            embedded = {each["id"]: embedded_entries(each) for each in self._canaries.find(with_history, {"_id": 0, "id": 1, "history": 1})}
            moved = dict(self._moved(some, limit))
            for canary_id in some:
                entries = _merged(moved.get(canary_id, []), embedded.get(canary_id, []), limit)
                if entries:
                    found[canary_id] = entries
        return found

    def _moved(self, canary_ids: list[str], limit: int) -> Iterator[tuple[str, list[Entry]]]:
        """One query for many canaries; its $unwind streams, since a thousand long entries together may exceed one document's size."""
        in_range = {"$and": [{"$gte": ["$_id", "$$first"]}, {"$lt": ["$_id", "$$end"]}]}
        lookup = {
            "from": self._entries.name,
            "let": {"first": {"$concat": ["$id", "|"]}, "end": {"$concat": ["$id", "|~"]}},
            "pipeline": [{"$match": {"$expr": in_range}}, {"$sort": {"_id": -1}}, {"$limit": limit}],
            "as": "entry",
        }
        pipeline: list[dict[str, Any]] = [
            {"$match": {"id": {"$in": canary_ids}}},
            {"$project": {"_id": 0, "id": 1}},
            {"$lookup": lookup},
            {"$unwind": "$entry"},
        ]
        for canary_id, group in groupby(self._canaries.aggregate(pipeline), key=lambda each: each["id"]):
            yield canary_id, [_entry(each["entry"]) for each in group]

    def move(self, document: Document) -> None:
        """Move the history out of a predecessor's canary: copy, then remove the original if it is as it was copied.

        Whoever reads meanwhile sees both and knows them as the same. Repeating it, also in several processes, changes nothing.
        """
        entries = embedded_entries(document)
        if entries:
            self.add((document["id"], entry) for entry in entries)
        # The predecessor puts new entries in front, so that the first and the number tell whether there were any.
        unchanged: Document = {"_id": document["_id"], "history": {"$size": len(entries)}}
        update: Document = {"$unset": {"history": ""}}
        if entries:
            unchanged["history.0"] = document["history"][0]
            update["$max"] = {"last_event_at": max(entry.at for entry in entries)}
        if self._canaries.update_one(unchanged, update).matched_count:
            return
        if not self._canaries.find_one({"_id": document["_id"]}, {"_id": 1}):
            self.remove(document["id"])  # the canary was deleted while its history was copied

    def move_those(self, condition: Document) -> None:
        """Make room in canaries whose document is too large to be changed."""
        for document in self._canaries.find({**condition, "history": {"$exists": True}}, {"id": 1, "history": 1}):
            self.move(document)

    def prune(self, canary_id: str, now: datetime) -> None:
        """Delete what canary.kept_history leaves out."""
        self._delete_from(canary_id, place=MAX_HISTORY, before=_end(canary_id))
        self._delete_from(canary_id, place=KEPT_HISTORY, before=_key(canary_id, now - HISTORY_AGE))

    def _delete_from(self, canary_id: str, *, place: int, before: str) -> None:
        """Delete the entry at that place, counted from the newest as 0, and all older ones, as far as they lie before that key."""
        first = f"{canary_id}|"
        newest_first = self._entries.find({"_id": {"$gte": first, "$lt": _end(canary_id)}}, {"_id": 1}).sort("_id", -1)
        for found in newest_first.skip(place).limit(1):
            self._unhurried.delete_many({"_id": {"$gte": first, "$lte": found["_id"], "$lt": before}})


def embedded_entries(document: Document) -> list[Entry]:
    """The history inside a predecessor's canary, newest first.

    The nonce is the place counted from the oldest entry, so that it stays the same when newer ones are put in front, and so that entries of
    one millisecond keep their order.
    """
    history = document.get("history") or []
    return [Entry(at, str(text), f"old{len(history) - place:05}") for place, (at, text) in enumerate(history)]


def _merged(moved: list[Entry], embedded: list[Entry], limit: int) -> list[Entry]:
    if not embedded:
        return moved
    return sorted({*moved, *embedded}, key=lambda entry: (entry.at, entry.nonce), reverse=True)[:limit]
