"""The audit log in the collection `audit`: the fields of an AuditEntry, `_id` being its id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditKind
from coal_mine.domain.key import Key

from .commands import Commands, portions
from .documents import Document
from .errors import translated

AUDIT = "audit"
_FIELDS = ("at", "subject", "by", "old", "new")
_NEWEST_FIRST = [("at", -1), ("_id", -1)]
# A document's own part beside the texts, roughly: portions need not be exact.
_FIELDS_BYTES = 500


class MongoAudit:
    """domain.audit.AuditStore."""

    def __init__(self, database: Database[Document], commands: Commands) -> None:
        self._audit: MongoCollection[Document] = database[AUDIT]
        self._commands = commands

    def add(self, entries: Sequence[AuditEntry]) -> None:
        for some in portions((_FIELDS_BYTES + len(one.old) + len(one.new), _document_of(one)) for one in entries):
            self._commands.insert(AUDIT, some)  # what collides is there already

    def select(self, wanted: AuditFilter, *, limit: int) -> list[AuditEntry]:
        if not limit:  # which would be no limit
            return []
        with translated():
            found = self._audit.find(_condition_of(wanted), sort=_NEWEST_FIRST, limit=limit)
            return [_entry_of(document) for document in found]

    def keys(self, wanted: AuditFilter, *, limit: int) -> list[Key[AuditKind]]:
        if not limit:
            return []
        with translated():
            found = self._audit.find(_condition_of(wanted), dict.fromkeys(("at", "subject", "kind"), 1), sort=_NEWEST_FIRST, limit=limit)
            return [Key(at=each["at"], id=each["_id"], about=each["subject"], what=AuditKind(each["kind"])) for each in found]

    def find(self, entry_ids: Collection[str]) -> dict[str, AuditEntry]:
        with translated():
            return {found["_id"]: _entry_of(found) for found in self._audit.find({"_id": {"$in": list(entry_ids)}})}

    def forget(self, before: datetime, *, limit: int) -> int:
        if not limit:
            return 0
        with translated():
            old = self._audit.find({"at": {"$lt": before}}, {"_id": 1}, sort=[("at", 1), ("_id", 1)], limit=limit)
            ids = [found["_id"] for found in old]
        return self._commands.delete(AUDIT, [{"_id": {"$in": ids}}]).count if ids else 0


def _condition_of(wanted: AuditFilter) -> Document:
    condition: Document = {}
    if wanted.subject is not None:
        condition["subject"] = wanted.subject
    between = {operator: at for operator, at in (("$gte", wanted.since), ("$lt", wanted.until)) if at is not None}
    if between:
        condition["at"] = between
    return condition


def _document_of(entry: AuditEntry) -> Document:
    return {"_id": entry.id, "kind": entry.kind.value, **{name: getattr(entry, name) for name in _FIELDS}}


def _entry_of(document: Document) -> AuditEntry:
    return AuditEntry(id=document["_id"], kind=AuditKind(document["kind"]), **{name: document[name] for name in _FIELDS})
