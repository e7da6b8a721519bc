"""Canaries in the collection `canaries`, in the predecessor's layout (see documents.py)."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from coal_mine.domain.alert import Kind
from coal_mine.domain.canary import Canary, Entry, Transition, Triggered
from coal_mine.domain.errors import Conflict, id_taken, slug_taken, unknown_id, unknown_slug
from coal_mine.domain.pending import PendingTrigger
from coal_mine.domain.ports import CanaryFilter
from coal_mine.domain.times import EPOCH

from .commit import GroupCommit
from .documents import PROJECTION, Document, canary_of, condition_of, document_of, owing, update_of
from .errors import BULK_SECONDS, WriteRefused, translated
from .history import History
from .indexes import Indexes
from .outbox import MongoOutbox

_log = logging.getLogger(__name__)

_PAGE = 1_000


class MongoCanaries:
    """domain.ports.CanaryStore. All reads go to the primary.

    They may see what is not yet safe from a fail-over: a change decided on it is conditional, so it fails or is lost together with it.
    """

    def __init__(self, database: Database[Document], history: History, commit: GroupCommit, outbox: MongoOutbox, indexes: Indexes) -> None:
        self._canaries: MongoCollection[Document] = database["canaries"]
        self._hasty_canaries = self._canaries.with_options(write_concern=WriteConcern(1))
        self._history = history
        self._commit = commit
        self._outbox = outbox
        self._indexes = indexes

    def add(self, canary: Canary, entry: Entry) -> None:
        self._indexes.wait()  # they are what makes two adds at once collide
        with translated():
            self._refuse_taken(canary)
            self._history.add([(canary.id, entry)])
            try:
                with translated():
                    self._canaries.insert_one(document_of(canary))
            except Conflict:
                self._history.discard(canary.id, [entry])
                self._refuse_taken(canary)
                raise

    def _refuse_taken(self, canary: Canary) -> None:
        self._refuse_slug(canary.slug, but=canary.id)
        holder = self._canaries.find_one({"id": canary.id}, {"slug": 1})
        if holder and holder.get("slug") == canary.slug:
            raise slug_taken(canary.slug, canary.id)
        if holder:
            raise id_taken(canary.id)

    def _refuse_slug(self, slug: str, *, but: str) -> None:
        holder = self._canaries.find_one({"slug": slug, "id": {"$ne": but}}, {"id": 1})
        if holder:
            raise slug_taken(slug, holder["id"])

    def get(self, canary_id: str) -> Canary:
        with translated():
            document = self._canaries.find_one({"id": canary_id}, PROJECTION)
        if document is None:
            raise unknown_id(canary_id)
        return canary_of(document)

    def followed(self, canary_ids: Collection[str]) -> dict[str, int]:
        wanted = {"id": {"$in": list(canary_ids)}, "job": {"$exists": True}}
        with translated():
            return {document["id"]: document.get("job_version", 0) for document in self._canaries.find(wanted, {"id": 1, "job_version": 1})}

    def id_of_slug(self, slug: str) -> str:
        with translated():
            document = self._canaries.find_one({"slug": slug}, {"id": 1})
        if document is None:
            raise unknown_slug(slug)
        return str(document["id"])

    def select(self, wanted: CanaryFilter) -> Iterator[Canary]:
        condition: Document = {}
        if wanted.paused is not None:
            condition["paused"] = wanted.paused
        if wanted.late is not None:
            condition["late"] = wanted.late
        while page := self._page(condition):
            yield from (canary_of(document) for document in page)
            condition["_id"] = {"$gt": page[-1]["_id"]}

    def _page(self, condition: Document) -> list[Document]:
        """Pages rather than one cursor: a cursor dies with its primary. Object ids grow with time, so this is the order of creation."""
        with translated():
            return list(self._canaries.find(condition, PROJECTION).sort("_id", 1).limit(_PAGE).hint("_id_"))

    def history(self, canary_id: str, *, limit: int, until: datetime | None = None) -> list[Entry]:
        with translated():
            return self._history.newest(canary_id, limit=limit, until=until)

    def histories(self, canary_ids: Sequence[str], *, limit: int) -> dict[str, list[Entry]]:
        with translated(BULK_SECONDS):
            return self._history.newest_of_each(canary_ids, limit=limit)

    def apply(self, transition: Transition) -> bool:
        """Look whether it can be applied, write the entry, write the change on the same condition; if it lost, take the entry back."""
        canary_id = transition.before.id
        condition = condition_of(transition)
        with translated():
            found = self._canaries.find_one(condition, {"alerted_at": 1})
            if found is None:
                return self._lost(canary_id)
            if transition.entry:
                self._history.add([(canary_id, transition.entry)])
            if transition.owe:
                condition["alerted_at"] = found.get("alerted_at")
            update = update_of(transition, found.get("alerted_at"))
            if not update or self._update(transition, condition, update):
                return True
            if transition.entry:
                self._history.discard(canary_id, [transition.entry])
            return self._lost(canary_id)

    def _update(self, transition: Transition, condition: Document, update: Document) -> bool:
        if "slug" in transition.changed:
            self._indexes.wait()
        try:
            with translated():
                return self._canaries.update_one(condition, update).matched_count == 1
        except Conflict:
            self._refuse_slug(transition.after.slug, but=transition.before.id)
            raise

    def _lost(self, canary_id: str) -> bool:
        """False, if the canary is still there."""
        if self._canaries.find_one({"id": canary_id}, {"_id": 1}) is None:
            raise unknown_id(canary_id)
        return False

    def remove(self, canary_id: str) -> None:
        """What it owes must survive it, so it goes only in a moment in which it owes nothing."""
        with translated():
            while True:
                document = self._canaries.find_one({"id": canary_id}, {"id": 1, "owed": 1})
                if document is None:
                    raise unknown_id(canary_id)
                if document.get("owed"):
                    self._outbox.expand_owed([document["_id"]])
                elif self._canaries.delete_one({"_id": document["_id"], "owed.id": {"$exists": False}}).deleted_count:
                    break
            self._history.remove(canary_id)

    def trigger(self, canary_id: str, entry: Entry) -> Triggered:
        return self._commit.trigger(canary_id, entry)

    def submit(self, pending: PendingTrigger) -> None:
        self._commit.submit(pending)

    def mark_late(self, now: datetime) -> int:
        """One command for all; each document is changed atomically and only if it is still due when its turn comes.

        Nobody waits until a majority has it. The outbox does, before anything leaves; what a fail-over undoes before that is due again.
        """
        due = {"paused": False, "late": False, "deadline": {"$lte": now}}
        marked: list[Document] = [{"$set": {"late": True, **owing(str(Kind.LATE), now)}}]
        with translated(BULK_SECONDS), self._outbox.precedence.marking():
            try:
                with translated(BULK_SECONDS):
                    return self._hasty_canaries.update_many(due, marked).matched_count
            except WriteRefused:
                # A predecessor's canary can be so full that it cannot grow by an alert; it must not keep the others from being marked.
                self._history.move_those(due)
                return sum(self._marked(each["_id"], due, marked) for each in self._canaries.find(due, {"_id": 1}))

    def _marked(self, key: Any, due: Document, marked: list[Document]) -> int:
        try:
            with translated():
                return self._canaries.update_one({"_id": key, **due}, marked).matched_count
        except WriteRefused as error:
            _log.error("canary with _id %s cannot be marked late: %s", key, error, extra={"action": "mark_late_refused"})
            return 0

    def next_deadline(self) -> datetime | None:
        watched = {"paused": False, "late": False, "deadline": {"$gte": EPOCH}}
        with translated():
            document = self._canaries.find_one(watched, {"_id": 0, "deadline": 1}, sort=[("deadline", 1)])
        return document["deadline"] if document else None
