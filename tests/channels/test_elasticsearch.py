"""The real client and a real HTTP server: what is written, what is refused, and what is said when nothing was taken."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from coal_mine.channels.elasticsearch import ElasticsearchIndex
from coal_mine.config import ElasticsearchConfig
from coal_mine.domain.errors import DeliveryFailed
from coal_mine.services.documents import SentDocument, Taken
from tests.support.elastic import Elastic
from tests.support.waiting import PATIENCE, until

NOVEMBER = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[Elastic]:
    with Elastic() as server:
        yield server


@pytest.fixture
def elastic(running: Elastic) -> Elastic:
    """In a good mood, and empty."""
    running.forget()
    return running


@pytest.fixture
def index(elastic: Elastic) -> Iterator[ElasticsearchIndex]:
    with channel(elastic.url) as opened:
        yield opened


@contextmanager
def channel(url: str, *, timeout: float = PATIENCE, **settings: Any) -> Iterator[ElasticsearchIndex]:
    defaults: dict[str, Any] = {"index": "moneta-${date}", "dateformat": "%Y.%m", "headers": (), "ca_certs": None}
    opened = ElasticsearchIndex(ElasticsearchConfig(url=url, **defaults | settings), timeout=timeout)
    yield opened
    opened.close()


def document(name: str, at: datetime = NOVEMBER, **fields: Any) -> SentDocument:
    return SentDocument(id=name, at=at, body=json.dumps({"task": name} | fields))


def failure(index: ElasticsearchIndex) -> str:
    with pytest.raises(DeliveryFailed) as failed:
        index.send([document("one")])
    return str(failed.value)


def test_each_document_is_written_with_its_id_into_the_index_of_its_day(elastic: Elastic, index: ElasticsearchIndex) -> None:
    answer = index.send([document("one"), document("two", DECEMBER)])

    assert answer == Taken()
    assert elastic.documents == {("moneta-2026.11", "one"): {"task": "one"}, ("moneta-2026.12", "two"): {"task": "two"}}


def test_many_documents_are_one_request(elastic: Elastic, index: ElasticsearchIndex) -> None:
    index.send([document(f"n{number}") for number in range(50)])

    assert (elastic.paths, elastic.sizes) == (["/_bulk"], [50])


def test_no_documents_are_no_request(elastic: Elastic, index: ElasticsearchIndex) -> None:
    assert index.send([]) == Taken()
    assert elastic.paths == []


def test_a_document_that_is_there_already_counts_as_taken(elastic: Elastic, index: ElasticsearchIndex) -> None:
    index.send([document("one")])

    assert index.send([document("one"), document("two")]) == Taken()
    assert elastic.ids() == ["one", "two"]


def test_of_a_document_that_is_refused_the_reason_is_told_and_the_others_are_taken(elastic: Elastic, index: ElasticsearchIndex) -> None:
    elastic.faults["two"] = (400, "document_parsing_exception")
    answer = index.send([document("one"), document("two"), document("three")])

    assert answer == Taken(refused={"two": "400: document_parsing_exception: two is not welcome"})
    assert elastic.ids() == ["one", "three"]


@pytest.mark.parametrize("fault", ["mapper_parsing_exception", "document_parsing_exception", "strict_dynamic_mapping_exception"])
def test_what_does_not_fit_the_index_is_refused(elastic: Elastic, index: ElasticsearchIndex, fault: str) -> None:
    elastic.faults["one"] = (400, fault)

    assert index.send([document("one")]) == Taken(refused={"one": f"400: {fault}: one is not welcome"})


@pytest.mark.parametrize("fault", ["mapper_parsing_exception", "document_parsing_exception"])
def test_an_index_that_is_full_of_fields_may_be_given_room(elastic: Elastic, index: ElasticsearchIndex, fault: str) -> None:
    elastic.faults["one"], elastic.cause = (400, fault), "Limit of total fields [1000] has been exceeded while adding new fields [1]"
    answer = index.send([document("one")])

    assert (list(answer.refused), list(answer.failed)) == ([], ["one"])


def test_a_text_that_is_longer_than_its_field_takes_is_refused(elastic: Elastic, index: ElasticsearchIndex) -> None:
    """Said with a type that other faults have, too."""
    elastic.faults["one"] = (400, "illegal_argument_exception")
    elastic.cause = 'Document contains at least one immense term in field="command" (whose UTF8 encoding is longer than 32766)'
    answer = index.send([document("one")])

    assert (list(answer.refused), list(answer.failed)) == (["one"], [])


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (429, "es_rejected_execution_exception"),
        (503, "unavailable_shards_exception"),
        (403, "cluster_block_exception"),
        (404, "index_not_found_exception"),
        (400, "invalid_index_name_exception"),
        (400, "validation_exception"),  # too many shards
        (400, "index_closed_exception"),
        (400, "illegal_argument_exception"),  # too many fields
    ],
)
def test_what_is_no_fault_of_the_document_may_be_tried_again(elastic: Elastic, index: ElasticsearchIndex, status: int, fault: str) -> None:
    elastic.faults["one"] = (status, fault)

    assert index.send([document("one"), document("two")]) == Taken(failed={"one": f"{status}: {fault}: one is not welcome"})


def test_what_is_too_large_together_is_sent_in_parts(elastic: Elastic, index: ElasticsearchIndex) -> None:
    elastic.most_bytes = 1_000
    answer = index.send([document(f"n{number}", text="x" * 300) for number in range(8)])

    assert answer == Taken()
    assert elastic.ids() == [f"n{number}" for number in range(8)]


def test_what_is_too_large_by_itself_is_refused_alone(elastic: Elastic, index: ElasticsearchIndex) -> None:
    elastic.most_bytes = 1_000
    answer = index.send([document("one"), document("two", text="x" * 1_000), document("three")])

    assert answer == Taken(refused={"two": f"413: larger than what Elasticsearch at 127.0.0.1:{elastic.port} takes"})
    assert elastic.ids() == ["one", "three"]


def test_half_a_letter_does_not_spoil_a_request(elastic: Elastic, index: ElasticsearchIndex) -> None:
    index.send([SentDocument(id="one", at=NOVEMBER, body='{"text":"\udc80"}')])

    assert elastic.documents == {("moneta-2026.11", "one"): {"text": "?"}}


def test_the_headers_that_are_configured_go_with_each_request(elastic: Elastic) -> None:
    with channel(elastic.url, headers=(("Authorization", "ApiKey abc="), ("X-Team", "ops"))) as index:
        index.send([document("one")])

    sent = {name.lower(): value for name, value in elastic.requests[0].items()}
    assert (sent["authorization"], sent["x-team"]) == ("ApiKey abc=", "ops")


def test_a_name_and_a_password_may_stand_in_the_url(elastic: Elastic) -> None:
    with channel(f"http://jo:s%3Acret@127.0.0.1:{elastic.port}/es") as index:
        index.send([document("one")])

    sent = {name.lower(): value for name, value in elastic.requests[0].items()}
    assert sent["authorization"] == "Basic " + base64.b64encode(b"jo:s:cret").decode()
    assert elastic.paths == ["/es/_bulk"]


def test_no_password_is_told_when_it_fails(elastic: Elastic) -> None:
    elastic.status, elastic.fault = 401, {"type": "security_exception", "reason": "unable to authenticate user [jo]"}
    with channel(f"http://jo:s3cret@127.0.0.1:{elastic.port}", headers=(("X-Key", "k3y"),)) as index:
        told = failure(index)

    assert told == f"Elasticsearch at 127.0.0.1:{elastic.port}: 401: security_exception: unable to authenticate user [jo]"


def test_a_server_that_does_not_say_that_it_is_elasticsearch_is_not_believed(elastic: Elastic, index: ElasticsearchIndex) -> None:
    elastic.is_elasticsearch = False

    assert failure(index) == (
        f"Elasticsearch at 127.0.0.1:{elastic.port}: what answers does not say that it is Elasticsearch;"
        " 7.14 or later is needed, and OpenSearch is not understood"
    )


def test_of_an_older_version_it_is_said_which_one_is_needed(elastic: Elastic, index: ElasticsearchIndex) -> None:
    elastic.status, elastic.fault = 406, "Content-Type header [application/vnd.elasticsearch+x-ndjson; compatible-with=8] is not supported"
    elastic.is_elasticsearch = False

    assert failure(index).endswith("is not supported; 7.14 or later is needed, and OpenSearch is not understood")


def test_a_server_that_is_down_is_a_failure_that_says_where(index: ElasticsearchIndex, running: Elastic) -> None:
    running.stop()
    try:
        told = failure(index)
    finally:
        running.start()

    assert told.startswith(f"Elasticsearch at 127.0.0.1:{running.port}: ")
    assert told.endswith("Connection refused")


def test_after_a_failure_the_next_try_may_succeed_at_once(elastic: Elastic, index: ElasticsearchIndex) -> None:
    index.send([document("one")])
    elastic.stop()
    failure(index)
    elastic.start()

    assert index.send([document("two")]) == Taken()


def test_who_does_not_answer_in_time_is_asked_again_and_has_nothing_twice(elastic: Elastic, index: ElasticsearchIndex) -> None:
    elastic.may_answer.clear()
    with channel(elastic.url, timeout=0.1) as impatient:
        told = failure(impatient)
    elastic.may_answer.set()
    until("the document of the request that was given up", lambda: elastic.ids() == ["one"])

    assert told == f"Elasticsearch at 127.0.0.1:{elastic.port}: no answer within 0.1 s"
    assert index.send([document("one"), document("two")]) == Taken()
    assert elastic.ids() == ["one", "two"]


def test_what_cannot_be_written_now_is_a_failure_as_a_whole(elastic: Elastic, index: ElasticsearchIndex) -> None:
    elastic.status, elastic.fault = 503, {"type": "cluster_block_exception", "reason": "no master", "caused_by": {"reason": "alone"}}

    assert failure(index) == f"Elasticsearch at 127.0.0.1:{elastic.port}: 503: cluster_block_exception: no master: alone"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """One that nobody trusts unless told to."""
    return trustme.CA()


@pytest.fixture(scope="module")
def encrypted(authority: trustme.CA) -> Iterator[Elastic]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Elastic(context) as server:
        yield server


def test_an_authority_of_ones_own_may_be_trusted(authority: trustme.CA, encrypted: Elastic, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with channel(encrypted.url, ca_certs=tmp_path / "ca.pem") as index:
        assert index.send([document("one")]) == Taken()

    assert encrypted.ids() == ["one"]


def test_a_certificate_of_an_unknown_authority_is_not_trusted(encrypted: Elastic) -> None:
    with channel(encrypted.url) as index:
        told = failure(index)

    assert "certificate verify failed" in told


def test_documents_wait_while_the_file_of_trusted_authorities_is_away(authority: trustme.CA, encrypted: Elastic, tmp_path: Path) -> None:
    with channel(encrypted.url, ca_certs=tmp_path / "later.pem") as index:
        told = failure(index)
        authority.cert_pem.write_to_path(str(tmp_path / "later.pem"))
        taken = index.send([document("later")])

    assert "No such file or directory" in told
    assert taken == Taken()
