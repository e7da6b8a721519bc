"""The audit log: who has changed what, and when. Runs are not in it; they are records of their own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from .key import Key


class AuditKind(StrEnum):
    CREATED = "created"  # a job
    CHANGED = "changed"
    DELETED = "deleted"
    OPTION = "option"  # one of the cluster's options was set or unset


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change. It says all that it is about by itself, since the job may be gone when it is read."""

    id: str  # the same for whoever writes of this change
    at: datetime
    kind: AuditKind
    subject: str  # the job's id, or the option's name
    by: str  # who called; empty: nobody knows
    # JSON: the definition, as definition.definition_from_text reads it, or the option's value. Empty: there was none, or there is none now.
    old: str = ""
    new: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries to list; None does not filter. All that are given must match."""

    since: datetime | None = None
    until: datetime | None = None  # the entry is before it
    subject: str | None = None


class AuditStore(Protocol):
    """See ports.py for what holds for all of a store."""

    def add(self, entries: Sequence[AuditEntry]) -> None:
        """Those whose id is there already stay as they are."""

    def select(self, wanted: AuditFilter, *, limit: int) -> list[AuditEntry]:
        """The newest first, those of one time by id, highest first."""

    def keys(self, wanted: AuditFilter, *, limit: int) -> list[Key[AuditKind]]:
        """Of what `select` would find no more than this."""

    def find(self, entry_ids: Collection[str]) -> dict[str, AuditEntry]:
        """Those that exist, by id."""

    def forget(self, before: datetime, *, limit: int) -> int:
        """Delete at most so many entries that are older than that, the oldest first; how many."""
