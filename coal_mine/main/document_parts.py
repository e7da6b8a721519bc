"""What writes documents to Elasticsearch, for a background."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from coal_mine.background.loop import Loop
from coal_mine.config import Config, ElasticsearchConfig
from coal_mine.domain.errors import CoalMineError
from coal_mine.domain.ports import Clock, Ids, Store
from coal_mine.node.programs.trust import fault_of_certificates
from coal_mine.services.document_maker import DocumentForms, DocumentMaker
from coal_mine.services.owed_documents import OwedDocuments

if TYPE_CHECKING:
    from coal_mine.background.document_sender import DocumentIndex


def check_elasticsearch(config: Config) -> None:
    """Find faults while they can still be told in one line. Raises CoalMineError."""
    if config.elasticsearch and find_spec("elasticsearch") is None:
        needed = "needs the package elasticsearch, which is not installed; install coal-mine[elasticsearch]"
        raise CoalMineError(f"{config.source}: [elasticsearch]: {needed}")


def warnings_of_elasticsearch(settings: ElasticsearchConfig) -> Iterator[str]:
    """No more than warnings: documents wait, and the watching goes on."""
    fault = fault_of_certificates(str(settings.ca_certs)) if settings.ca_certs else ""
    if fault:
        yield f"[elasticsearch] ca_certs: {settings.ca_certs} {fault}; documents wait until it can be read"


def document_loop(
    config: Config, settings: ElasticsearchConfig, store: Store, clock: Clock, ids: Ids, owed: OwedDocuments
) -> tuple[Loop, DocumentIndex]:
    """With what is to be closed behind it."""
    from coal_mine.background.document_sender import DocumentSender
    from coal_mine.channels.elasticsearch import ElasticsearchIndex
    from coal_mine.web.dialects.moneta.documents import change_document, execution_document, report_document
    from coal_mine.web.dialects.moneta.shown import TaskView

    index = ElasticsearchIndex(settings)
    of_change = partial(change_document, TaskView(config.timezone).task)
    maker = DocumentMaker(store, DocumentForms(of_start=execution_document, of_end=report_document, of_change=of_change))
    return Loop("sender-documents", DocumentSender(store, clock, ids, index, maker, owed), clock), index
