"""Makes the documents that are owed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from coal_mine.domain.alert import Alert, Delivery, Kind
from coal_mine.domain.audit import AuditEntry, AuditFilter
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.output import Line
from coal_mine.domain.ports import Store
from coal_mine.domain.run import Run

from .documents import Made, SentDocument
from .run_output import END_BYTES, end_of_output

_log = logging.getLogger(__name__)

_MILLISECOND = timedelta(milliseconds=1)
_OF_ONE_MOMENT = 1_000  # entries about one job

Document = Mapping[str, Any]


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
        if report := self._forms.of_end(run, end_of_output(self._output, run, END_BYTES)):
            yield _sent(f"{run.id}|report", run.ended_at or run.tick, report)

    def _of_entry(self, alert: Alert) -> Iterator[SentDocument]:
        moment = AuditFilter(subject=alert.about, since=alert.at, until=alert.at + _MILLISECOND)
        for entry in self._audit.select(moment, limit=_OF_ONE_MOMENT):
            if entry.id == alert.event and (document := self._forms.of_change(entry)):
                yield _sent(entry.id, entry.at, document)


def _sent(document_id: str, at: datetime, document: Document) -> SentDocument:
    return SentDocument(id=document_id, at=at, body=json.dumps(document, ensure_ascii=False, separators=(",", ":")))
