"""Documents for Elasticsearch, by its own client."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from elastic_transport import ConnectionTimeout, TransportError
from elastic_transport.client_utils import url_to_node_config
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError

from coal_mine.config import ElasticsearchConfig
from coal_mine.domain.errors import DeliveryFailed
from coal_mine.services.documents import SentDocument, Taken

# Shorter than the lease of whoever sends.
TIMEOUT_SECONDS = 20.0
_CONFLICT, _NOT_ACCEPTABLE, _TOO_LARGE = 409, 406, 413
_VERSIONS = "7.14 or later is needed, and OpenSearch is not understood"
# Faults of the document itself. Others have their status, too, and are of its index: that it is closed, or its name, or what is too many.
_OF_THE_DOCUMENT = frozenset({"mapper_parsing_exception", "document_parsing_exception", "strict_dynamic_mapping_exception"})
# The index holds as many fields as it may, and newer versions say so as of the document.
_FULL = "Limit of total fields"
# A text is longer than a field of keywords takes; it is said as of the index.
_TOO_LONG = "immense term"


class ElasticsearchIndex:
    """Keeps one connection; used by one thread."""

    name = "Elasticsearch"

    def __init__(self, settings: ElasticsearchConfig, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._index_at = settings.index_at
        self._timeout = timeout
        # What it says of each request, and of each failure, is said by whoever sends.
        logging.getLogger("elastic_transport").setLevel(logging.ERROR)
        self._place = _place(settings.url)
        trust: dict[str, Any] = {"ca_certs": str(settings.ca_certs)} if settings.ca_certs else {}
        self._client = Elasticsearch(
            [url_to_node_config(settings.url, use_default_ports_for_scheme=True)],
            headers=dict(settings.headers), request_timeout=timeout, max_retries=0, connections_per_node=1, **trust,
        )  # fmt: skip

    def send(self, documents: Sequence[SentDocument]) -> Taken:
        """Raises DeliveryFailed when it is not known that any was taken."""
        if not documents:
            return Taken()
        try:
            found = self._client.bulk(operations=self._lines(documents))
        except ApiError as error:
            if error.status_code == _TOO_LARGE:
                return self._in_parts(documents)
            raise DeliveryFailed(f"{self._place}: {_fault(error)}") from error
        except ConnectionTimeout as error:
            raise DeliveryFailed(f"{self._place}: no answer within {self._timeout:g} s") from error
        except TransportError as error:
            raise DeliveryFailed(f"{self._place}: {error.message}") from error
        return _taken(documents, found["items"])

    def close(self) -> None:
        self._client.close()

    def _in_parts(self, documents: Sequence[SentDocument]) -> Taken:
        if len(documents) == 1:
            return Taken(refused={documents[0].id: f"{_TOO_LARGE}: larger than what {self._place} takes"})
        half = len(documents) // 2
        first, second = self.send(documents[:half]), self.send(documents[half:])
        return Taken(refused={**first.refused, **second.refused}, failed={**first.failed, **second.failed})

    def _lines(self, documents: Sequence[SentDocument]) -> list[Any]:
        """With ids, so that what is sent again is there once."""
        lines = []
        for document in documents:
            action = {"create": {"_index": self._index_at(document.at), "_id": document.id}}
            # Half of a surrogate pair, which JSON may hold, has no bytes in UTF-8.
            lines += [json.dumps(action).encode(), document.body.encode(errors="replace")]
        return lines


def _place(url: str) -> str:
    """Without what is secret."""
    parts = urlsplit(url)
    return f"Elasticsearch at {parts.hostname}" + (f":{parts.port}" if parts.port else "")


def _fault(error: ApiError) -> str:
    if isinstance(error, UnsupportedProductError):
        return f"what answers does not say that it is Elasticsearch; {_VERSIONS}"
    if error.status_code == _NOT_ACCEPTABLE:
        return f"{error.status_code}: {error.message}; {_VERSIONS}"
    return f"{error.status_code}: {_reason(error.body, error.message)}"


def _reason(body: object, otherwise: str) -> str:
    fault = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(fault, Mapping):
        return str(fault or otherwise)[:300]
    cause = fault.get("caused_by")
    reason = f"{fault.get('type')}: {fault.get('reason')}"
    return (f"{reason}: {cause.get('reason')}" if isinstance(cause, Mapping) else reason)[:300]


def _taken(documents: Sequence[SentDocument], items: Sequence[Mapping[str, Any]]) -> Taken:
    refused: dict[str, str] = {}
    failed: dict[str, str] = {}
    for document, item in zip(documents, items, strict=True):
        (result,) = item.values()
        status = int(result["status"])
        if 200 <= status < 300 or status == _CONFLICT:  # it is there since an earlier try
            continue
        reason = _reason(result, "no reason given")
        is_its_own = _TOO_LONG in reason or (_type(result) in _OF_THE_DOCUMENT and _FULL not in reason)
        (refused if is_its_own or status == _TOO_LARGE else failed)[document.id] = f"{status}: {reason}"
    return Taken(refused=refused, failed=failed)


def _type(result: Mapping[str, Any]) -> object:
    fault = result.get("error")
    return fault.get("type") if isinstance(fault, Mapping) else None
