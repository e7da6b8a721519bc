"""Documents are owed when something happens, and are made when they are sent."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from coal_mine.clock import monotonic
from coal_mine.domain.alert import ELASTICSEARCH, Alert, Kind
from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditKind, AuditStore
from coal_mine.domain.key import Key
from coal_mine.domain.ports import Clock, Store
from coal_mine.domain.run import Run
from coal_mine.domain.times import from_millis, to_millis

# After the last time that somebody said that he sends documents.
WANTED_FOR = timedelta(days=7)
# Kept beside the options of clients, none of which can have such a name.
WANTED_UNTIL = "documents|wanted_until"
_ASKED_EVERY_SECONDS = 5.0

_OF_JOBS = frozenset({AuditKind.CREATED, AuditKind.CHANGED, AuditKind.DELETED})


class OwedDocuments:
    """Owes documents in the outbox, as long as they are wanted.

    Runs end on any node, and jobs are changed through any server, while one background alone may know where Elasticsearch is. So that
    they are wanted stands in the store, for a while.
    """

    def __init__(self, store: Store, clock: Clock, *, is_sure: bool = False) -> None:
        """`is_sure`: this process has been told where Elasticsearch is, and need not ask whether anybody wants them."""
        self._is_sure = is_sure
        self._options = store.options
        self._outbox = store.outbox
        self._clock = clock
        self._are_wanted = False
        self._asked_at: float | None = None

    def want(self) -> None:
        """To be repeated, since it holds for WANTED_FOR."""
        self._options.set(WANTED_UNTIL, json.dumps(to_millis(self._clock.now() + WANTED_FOR)))
        self._asked_at = None

    def of_runs(self, runs: Sequence[Run]) -> None:
        """Of those that have ended. Repeated, it may lead to documents with the ids of the first ones."""
        self._owe([_about_run(run, run.ended_at) for run in runs if run.has_ended and run.ended_at])

    def of_entries(self, entries: Sequence[AuditEntry]) -> None:
        self._owe([_about_entry(entry) for entry in entries if entry.kind in _OF_JOBS])

    def _owe(self, alerts: Sequence[Alert]) -> None:
        if alerts and (self._is_sure or self._wanted()):
            self._outbox.add(alerts)

    def _wanted(self) -> bool:
        now = monotonic()
        if self._asked_at is None or now - self._asked_at > _ASKED_EVERY_SECONDS:
            until = from_millis(json.loads(self._options.all().get(WANTED_UNTIL, "0")))
            self._are_wanted = self._clock.now() < until
            self._asked_at = now
        return self._are_wanted


class OwingAudit:
    """domain.audit.AuditStore. What is added to it is owed as well."""

    def __init__(self, audit: AuditStore, owed: OwedDocuments) -> None:
        self._audit = audit
        self._owed = owed

    def add(self, entries: Sequence[AuditEntry]) -> None:
        self._audit.add(entries)
        self._owed.of_entries(entries)

    def select(self, wanted: AuditFilter, *, limit: int) -> list[AuditEntry]:
        return self._audit.select(wanted, limit=limit)

    def keys(self, wanted: AuditFilter, *, limit: int) -> list[Key[AuditKind]]:
        return self._audit.keys(wanted, limit=limit)

    def find(self, entry_ids: Collection[str]) -> dict[str, AuditEntry]:
        return self._audit.find(entry_ids)

    def forget(self, before: datetime, *, limit: int) -> int:
        return self._audit.forget(before, limit=limit)


def _about_run(run: Run, at: datetime) -> Alert:
    return _alert(Kind.ENDED, run.id, run.definition.name, at)


def _about_entry(entry: AuditEntry) -> Alert:
    return _alert(Kind.AUDITED, entry.subject, entry.subject, entry.at, event=entry.id)


def _alert(kind: Kind, about: str, name: str, at: datetime, *, event: str = "") -> Alert:
    return Alert(
        kind=kind, about=about, name=name, at=at, deadline=None, emails=(ELASTICSEARCH.address,), channel=ELASTICSEARCH.channel, event=event
    )  # fmt: skip
