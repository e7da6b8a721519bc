"""A server's parts around jobs and their documents, with a real Elasticsearch client and a real server for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from coal_mine.background.document_sender import DocumentIndex, DocumentSender
from coal_mine.channels.elasticsearch import ElasticsearchIndex
from coal_mine.config import ElasticsearchConfig
from coal_mine.domain.alert import ELASTICSEARCH, Delivery, DeliveryState
from coal_mine.domain.definition import definition_as_json
from coal_mine.domain.job import Definition
from coal_mine.domain.output import Chunk, Frame, Stream
from coal_mine.domain.ports import Store
from coal_mine.domain.run import Run, RunState
from coal_mine.services.document_maker import DocumentForms, DocumentMaker
from coal_mine.services.job_canaries import JobCanaries
from coal_mine.services.jobs import Jobs
from coal_mine.services.outcomes import Outcomes
from coal_mine.services.owed_documents import OwedDocuments, OwingAudit
from coal_mine.web.dialects.moneta.documents import change_document, execution_document, report_document
from tests.stores.run_examples import run as example_run
from tests.support.elastic import Document, Elastic
from tests.support.jobs import Scene

EXECUTION, REPORT = "moneta-task-execution", "moneta-task-report"


class Bureau(Scene):
    """A server's parts around jobs and their documents."""

    def __init__(self, store: Store, elastic: Elastic) -> None:
        super().__init__(store)
        self.elastic = elastic
        self.owed = OwedDocuments(store, self.clock)
        self.owed.want()
        self.outcomes = Outcomes(store, alert_owed=lambda: None, owe_documents=self.owed.of_runs)
        audit = OwingAudit(store.audit, self.owed)
        self.jobs = Jobs(store, self.clock, self.ids, JobCanaries(store, self.ids), audit=audit)
        settings = ElasticsearchConfig(url=elastic.url, index="${date}", dateformat="%Y.%m.%d", headers=(), ca_certs=None)
        self.index = ElasticsearchIndex(settings)
        self.sender = self.new_sender()

    def ended_runs(self, count: int) -> list[Run]:
        """So many at once, owed."""
        runs = [self.ended_run() for _ in range(count)]
        self.store.runs.add(runs)
        self.owed.of_runs(runs)
        return runs

    def ended_run(self) -> Run:
        return example_run(state=RunState.DONE, attempt=1, epoch=1, started_at=self.now, ended_at=self.now)

    def new_sender(
        self, index: DocumentIndex | None = None, *, task: Callable[[str, Definition], Mapping[str, Any]] | None = None, store: Any = None
    ) -> DocumentSender:
        """`store` is where the documents are made from, if that is not the one that all use."""
        forms = DocumentForms(of_start=execution_document, of_end=report_document, of_change=partial(change_document, task or _task))
        maker = DocumentMaker(store or self.store, forms)
        return DocumentSender(self.store, self.clock, self.ids, index or self.index, maker, self.owed)

    def told(self, **result: Any) -> Run:
        """A run of a new job that has ended."""
        run = self.end(self.next_run(self.job()), **result)
        self.tell(run)
        return run

    def told_with_output(self, written: bytes) -> Run:
        run = self.start(self.next_run(self.job()))
        self.store.output.add([Chunk(run_id=run.id, attempt=1, offset=0, frames=(Frame(Stream.STDOUT, 0, written),))])
        ended = self.end(run, stdout_bytes=len(written))
        self.tell(ended)
        return ended

    def send(self) -> None:
        """All that can be sent now."""
        while (again := self.sender.run_once(self.now)) is not None and again <= self.now:
            pass

    def next_try(self) -> timedelta:
        """How long nothing is sent."""
        again = self.sender.run_once(self.now)
        assert again
        return again - self.now

    def sent(self, *kinds: str) -> list[Document]:
        return [document for document in self.elastic.documents.values() if document["event_type"] in kinds]

    def waiting(self) -> int:
        return sum(each.state is DeliveryState.WAITING for each in self._owed_deliveries())

    def kept(self) -> list[tuple[DeliveryState, str]]:
        return [(each.state, each.error) for each in self._owed_deliveries()]

    def _owed_deliveries(self) -> list[Delivery]:
        return [each for each in self.store.outbox.deliveries(limit=10_000) if each.receiver == ELASTICSEARCH]


def _task(_job_id: str, definition: Definition) -> Mapping[str, Any]:
    return {"name": definition.name, "command": definition_as_json(definition)["command"]}
