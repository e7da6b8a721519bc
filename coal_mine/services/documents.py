"""What Elasticsearch is to have: documents that are owed when something happens, and are made when they are sent."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from coal_mine.clock import monotonic
from coal_mine.domain.alert import ELASTICSEARCH, Alert, Delivery, Kind
from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditKind, AuditStore
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.output import Line
from coal_mine.domain.ports import Clock, Store
from coal_mine.domain.run import Run
from coal_mine.domain.times import from_millis, to_millis

from .run_output import end_of_output

_log = logging.getLogger(__name__)

# After the last time that somebody said that he sends documents.
WANTED_FOR = timedelta(days=7)
_OPTION = "elasticsearch"
_ASKED_EVERY_SECONDS = 5.0
_MILLISECOND = timedelta(milliseconds=1)
_OF_ONE_MOMENT = 1_000  # entries about one job
_BYTES = 1_000_000  # of the output's end, in which the lines of a report are looked for

_OF_JOBS = frozenset({AuditKind.CREATED, AuditKind.CHANGED, AuditKind.DELETED})

Document = Mapping[str, Any]


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
        self._options.set(_OPTION, json.dumps(to_millis(self._clock.now() + WANTED_FOR)))
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
            until = self._options.all().get(_OPTION)
            self._are_wanted = until is not None and self._clock.now() < from_millis(json.loads(until))
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

    def select(self, wanted: AuditFilter, *, offset: int = 0, limit: int) -> list[AuditEntry]:
        return self._audit.select(wanted, offset=offset, limit=limit)

    def count(self, wanted: AuditFilter) -> dict[AuditKind, int]:
        return self._audit.count(wanted)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SentDocument:
    """The same whenever it is made, as long as the store knows what it is about."""

    id: str
    at: datetime
    body: str  # JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Of documents that were not taken the ids, and why. All others were, now or before."""

    refused: Mapping[str, str] = field(default_factory=dict)  # they never will be
    failed: Mapping[str, str] = field(default_factory=dict)  # trying again may help


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a delivery is about, as documents."""

    delivery: Delivery
    documents: tuple[SentDocument, ...]
    fault: str = ""  # why there are none

    @property
    def size(self) -> int:
        return sum(len(document.body) for document in self.documents)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentForms:
    """The words of documents, which are a dialect's. None: there is nothing to say."""

    of_start: Callable[[Run], Document | None]
    of_end: Callable[[Run, Sequence[Line]], Document | None]  # with the last lines of its output
    of_change: Callable[[AuditEntry], Document | None]


class DocumentMaker:
    def __init__(self, store: Store, forms: DocumentForms) -> None:
        self._runs = store.runs
        self._output = store.output
        self._audit = store.audit
        self._forms = forms

    def make(self, deliveries: Sequence[Delivery]) -> Iterator[Made]:
        """One after the other, since a report may be large; one that cannot be made does not keep the others from being."""
        runs = self._runs.find({each.alert.about for each in deliveries if each.alert.kind is Kind.ENDED})
        for delivery in deliveries:
            fault, documents = "", tuple[SentDocument, ...]()
            try:
                documents = tuple(self._of(delivery.alert, runs))
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - the others must not wait for it
                _log.exception("no document can be made for %s", delivery.id, extra={"action": "document_fault"})
                fault = f"{type(error).__name__}: {error}"
            yield Made(delivery=delivery, documents=documents, fault=fault)

    def _of(self, alert: Alert, runs: Mapping[str, Run]) -> Iterable[SentDocument]:
        """Nothing, where the store has forgotten what it was about."""
        if alert.kind is Kind.AUDITED:
            return self._of_entry(alert)
        run = runs.get(alert.about)
        return self._of_run(run) if run else ()

    def _of_run(self, run: Run) -> Iterator[SentDocument]:
        if execution := self._forms.of_start(run):
            yield _sent(f"{run.id}|execution", run.tick, execution)
        if report := self._forms.of_end(run, end_of_output(self._output, run, _BYTES)):
            yield _sent(f"{run.id}|report", run.ended_at or run.tick, report)

    def _of_entry(self, alert: Alert) -> Iterator[SentDocument]:
        moment = AuditFilter(subject=alert.about, since=alert.at, until=alert.at + _MILLISECOND)
        for entry in self._audit.select(moment, limit=_OF_ONE_MOMENT):
            if entry.id == alert.event and (document := self._forms.of_change(entry)):
                yield _sent(entry.id, entry.at, document)


def _sent(document_id: str, at: datetime, document: Document) -> SentDocument:
    return SentDocument(id=document_id, at=at, body=json.dumps(document, ensure_ascii=False, separators=(",", ":")))
