"""What becomes of the documents that Elasticsearch is owed, whatever it does. The server is a real one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from coal_mine.background.documents import FIRST_RETRY, LAST_RETRY, LEASE, PARTLY_RETRY, DocumentIndex, DocumentSender
from coal_mine.background.outbox import Expander
from coal_mine.channels.elasticsearch import ElasticsearchIndex
from coal_mine.config import ElasticsearchConfig
from coal_mine.domain.alert import DeliveryState
from coal_mine.domain.definition import definition_as_json
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.job import Definition
from coal_mine.domain.run import Run, RunState
from coal_mine.services.documents import Answer, DocumentMaker, OwedDocuments, OwingAudit, SentDocument
from coal_mine.services.job_canaries import JobCanaries
from coal_mine.services.jobs import Jobs
from coal_mine.services.outcomes import Outcomes
from coal_mine.stores.sqlite.store import SqliteStore
from tests.stores.run_examples import run as example_run
from tests.support.elastic import Document, Elastic
from tests.support.jobs import DAY, HOUR, SECOND, Scene

EXECUTION, REPORT = "moneta-task-execution", "moneta-task-report"


@pytest.fixture(scope="module")
def running() -> Iterator[Elastic]:
    with Elastic() as server:
        yield server


@pytest.fixture
def elastic(running: Elastic) -> Elastic:
    """In a good mood, and empty."""
    running.forget()
    return running


class Bureau(Scene):
    """A server's parts around jobs and their documents."""

    def __init__(self, store: SqliteStore, elastic: Elastic) -> None:
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

    def new_sender(
        self, index: DocumentIndex | None = None, task: Callable[[str, Definition], Mapping[str, Any]] | None = None
    ) -> DocumentSender:
        maker = DocumentMaker(self.store, task or _task)
        return DocumentSender(self.store, self.clock, self.ids, index or self.index, maker, self.owed)

    def told(self, **result: Any) -> Run:
        """A run of a new job that has ended."""
        run = self.end(self.next_run(self.job()), **result)
        self.tell(run)
        return run

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
        return sum(
            each.state is DeliveryState.WAITING for each in self.store.outbox.deliveries(limit=1_000) if _is_ours(each.receiver.channel)
        )

    def kept(self) -> list[tuple[DeliveryState, str]]:
        found = [each for each in self.store.outbox.deliveries(limit=1_000) if _is_ours(each.receiver.channel)]
        return [(each.state, each.error) for each in found]


def _is_ours(channel: str) -> bool:
    return channel == "elasticsearch"


def _task(_job_id: str, definition: Definition) -> Mapping[str, Any]:
    return {"name": definition.name, "command": definition_as_json(definition)["command"]}


@pytest.fixture
def bureau(store: SqliteStore, elastic: Elastic) -> Iterator[Bureau]:
    opened = Bureau(store, elastic)
    yield opened
    opened.index.close()


def test_a_run_that_has_ended_is_an_execution_and_a_report(bureau: Bureau) -> None:
    run = bureau.told(exit_code=3)
    bureau.send()
    (execution,), (report,) = bureau.sent(EXECUTION), bureau.sent(REPORT)

    assert (execution["task"], execution["success"], execution["@level"]) == (run.job_id, True, "success")
    assert (report["task"], report["task_name"], report["status"], report["returncode"]) == (run.job_id, "Backup", "error", 3)


def test_a_document_lies_in_the_index_of_its_own_day(bureau: Bureau) -> None:
    run = bureau.told()
    bureau.clock.move(3 * DAY)
    bureau.send()

    assert (f"{run.tick:%Y.%m.%d}", f"{run.id}|report") in bureau.elastic.documents


def test_a_result_that_comes_hours_after_the_end_is_written_like_any_other(bureau: Bureau) -> None:
    run = bureau.start(bureau.next_run(bureau.job()))
    ended_at = bureau.now + SECOND
    for _ in range(3):
        bureau.clock.move(HOUR)
        bureau.told()
        bureau.send()
    bureau.tell(bureau.end(run, ended_at=ended_at))
    bureau.send()

    assert f"{run.id}|report" in bureau.elastic.ids()


def test_changes_of_jobs_are_written_with_the_task_as_it_is_and_was(bureau: Bureau) -> None:
    job = bureau.jobs.create({"name": "Backup", "command": "one"}, by="jo").job
    bureau.jobs.patch(job.id, {"command": "two"}, by="al")
    bureau.jobs.delete(job.id, by="jo")
    bureau.send()
    changes = [document for document in bureau.elastic.documents.values() if document["task"] == job.id]

    assert [(each["event_type"], each["user"]) for each in changes] == [
        ("moneta-task-created", "jo"),
        ("moneta-task-updated", "al"),
        ("moneta-task-deleted", "jo"),
    ]
    assert [(each["config"]["command"], each.get("oldconfig", {}).get("command")) for each in changes] == [
        ("one", None),
        ("two", "one"),
        ("two", None),
    ]


def test_a_run_that_goes_on_is_not_written_yet(bureau: Bureau) -> None:
    run = bureau.start(bureau.next_run(bureau.job()))
    bureau.tell(run)
    bureau.send()

    assert bureau.sent(EXECUTION, REPORT) == []


def test_what_was_taken_leaves_nothing_in_the_outbox(bureau: Bureau) -> None:
    bureau.told()
    bureau.send()

    assert bureau.kept() == []


def test_nothing_is_sent_twice(bureau: Bureau) -> None:
    bureau.told()
    bureau.send()
    requests = len(bureau.elastic.requests)
    bureau.send()

    assert len(bureau.elastic.requests) == requests


def test_the_wait_doubles_with_each_failure_and_ends_at_five_minutes(bureau: Bureau) -> None:
    bureau.told()
    bureau.elastic.status = 503
    waits = []
    for _ in range(10):
        bureau.sender.run_once(bureau.now)
        waits.append(bureau.next_try())
        bureau.clock.move(waits[-1])

    assert waits == [min(FIRST_RETRY * 2**number, LAST_RETRY) for number in range(10)]


def test_what_waited_while_elasticsearch_was_down_is_written_when_it_is_back(bureau: Bureau) -> None:
    bureau.elastic.stop()
    runs = [bureau.told() for _ in range(3)]
    bureau.send()
    bureau.elastic.start()
    bureau.clock.move(LAST_RETRY)
    bureau.send()

    assert {f"{run.id}|report" for run in runs} <= set(bureau.elastic.ids())
    assert bureau.waiting() == 0


def test_a_failure_is_told_with_its_reason(bureau: Bureau, caplog: pytest.LogCaptureFixture) -> None:
    bureau.send()  # what the jobs of others owe
    bureau.told()
    bureau.elastic.status, bureau.elastic.fault = 503, {"type": "cluster_block_exception", "reason": "no master"}
    caplog.clear()
    bureau.send()

    place = f"Elasticsearch at 127.0.0.1:{bureau.elastic.port}"
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        f"what 2 runs and changes owe Elasticsearch was not taken, next try in 1 s: {place}: 503: cluster_block_exception: no master"
    ]


def test_a_document_that_is_refused_holds_up_no_other(bureau: Bureau, caplog: pytest.LogCaptureFixture) -> None:
    first, second = bureau.told(), bureau.told()
    bureau.elastic.faults[f"{first.id}|report"] = (400, "document_parsing_exception")
    bureau.send()

    assert f"{second.id}|report" in bureau.elastic.ids()
    assert bureau.waiting() == 0
    assert f"Elasticsearch refused for good what {first.id} owes it: 400: document_parsing_exception" in caplog.text


def test_a_refused_document_is_kept_with_its_reason(bureau: Bureau) -> None:
    run = bureau.told()
    bureau.elastic.faults[f"{run.id}|report"] = (400, "document_parsing_exception")
    bureau.send()

    assert bureau.kept() == [(DeliveryState.REFUSED, f"400: document_parsing_exception: {run.id}|report is not welcome")]


def test_one_that_is_not_taken_for_now_holds_up_no_other(bureau: Bureau) -> None:
    stuck = bureau.told()
    bureau.elastic.faults[stuck.id] = (403, "cluster_block_exception")
    bureau.send()
    later = bureau.told()
    bureau.clock.move(PARTLY_RETRY)
    bureau.send()

    assert f"{later.id}|report" in bureau.elastic.ids()
    assert bureau.waiting() == 1


def test_one_that_was_not_taken_for_now_is_sent_again_after_a_while(bureau: Bureau) -> None:
    stuck = bureau.told()
    bureau.elastic.faults[stuck.id] = (429, "es_rejected_execution_exception")
    bureau.sender.run_once(bureau.now)

    assert bureau.next_try() == PARTLY_RETRY
    bureau.elastic.faults.clear()
    bureau.clock.move(PARTLY_RETRY)
    bureau.send()
    assert f"{stuck.id}|report" in bureau.elastic.ids()


class Dying:
    """Its process ends after the documents were taken, and before anybody has noted it."""

    name = "Elasticsearch"

    def __init__(self, index: DocumentIndex) -> None:
        self._index = index

    def send(self, documents: Sequence[SentDocument]) -> Answer:
        self._index.send(documents)
        raise SystemExit

    def close(self) -> None:
        """The other one is."""


def test_what_a_dead_process_has_sent_is_sent_again_after_its_lease_and_is_there_once(bureau: Bureau) -> None:
    bureau.told()
    with pytest.raises(SystemExit):
        bureau.new_sender(Dying(bureau.index)).run_once(bureau.now)
    written = bureau.elastic.ids()
    bureau.send()
    before_its_end = len(bureau.elastic.sizes)
    bureau.clock.move(LEASE)
    bureau.send()

    assert (before_its_end, len(bureau.elastic.sizes)) == (1, 2)
    assert bureau.elastic.ids() == written
    assert bureau.waiting() == 0


class Losing(Dying):
    """The store goes away while it sends."""

    def send(self, documents: Sequence[SentDocument]) -> Answer:
        raise StoreUnavailable("the store is away")


def test_a_store_that_is_away_for_a_moment_leaves_the_claim_to_the_next_one(bureau: Bureau) -> None:
    run = bureau.told()
    with pytest.raises(StoreUnavailable):
        bureau.new_sender(Losing(bureau.index)).run_once(bureau.now)
    bureau.send()

    assert f"{run.id}|report" in bureau.elastic.ids()


class Odd(Dying):
    """Answers what nobody has thought of."""

    def send(self, documents: Sequence[SentDocument]) -> Answer:
        raise KeyError("items")


def test_an_error_that_nobody_expected_loses_nothing(bureau: Bureau) -> None:
    bureau.told()
    bureau.new_sender(Odd(bureau.index)).run_once(bureau.now)

    assert bureau.next_try() == FIRST_RETRY
    assert bureau.waiting() == 2


def test_a_document_that_cannot_be_made_is_given_up_alone(bureau: Bureau) -> None:
    def task(job_id: str, definition: Definition) -> Mapping[str, Any]:
        raise TypeError("no such word")

    run = bureau.told()
    bureau.sender = bureau.new_sender(task=task)
    bureau.send()

    assert f"{run.id}|report" in bureau.elastic.ids()
    assert bureau.kept() == [(DeliveryState.REFUSED, "TypeError: no such word")]


def test_of_a_run_that_was_forgotten_nothing_is_written(bureau: Bureau) -> None:
    run = bureau.told()
    bureau.store.runs.forget(bureau.now + DAY, limit=10)
    bureau.send()

    assert not [found for found in bureau.elastic.ids() if run.id in found]
    assert bureau.waiting() == 0


def ended_runs(bureau: Bureau, count: int) -> None:
    """So many at once, owed."""
    runs = [example_run(state=RunState.DONE, attempt=1, epoch=1, started_at=bureau.now, ended_at=bureau.now) for _ in range(count)]
    bureau.store.runs.add(runs)
    bureau.owed.of_runs(runs)


def test_much_is_sent_in_requests_of_a_bearable_size(bureau: Bureau) -> None:
    ended_runs(bureau, 450)
    bureau.send()

    assert bureau.elastic.sizes == [400, 400, 100]  # two of each run


def test_after_a_failure_less_is_sent_at_once(bureau: Bureau) -> None:
    ended_runs(bureau, 200)
    bureau.elastic.status = 503
    bureau.sender.run_once(bureau.now)
    bureau.elastic.status = 200
    bureau.clock.move(FIRST_RETRY)
    bureau.send()

    assert bureau.elastic.sizes == [200, 200]


def test_what_was_not_taken_is_given_up_when_the_runs_are_forgotten(bureau: Bureau, caplog: pytest.LogCaptureFixture) -> None:
    bureau.send()
    bureau.told()
    expander = Expander(bureau.store, lambda: None, documents_kept=2 * DAY)
    expander.run_once(bureau.clock.move(DAY))
    waiting = bureau.waiting()
    expander.run_once(bureau.clock.move(DAY + HOUR))

    assert (waiting, bureau.waiting()) == (2, 0)
    assert "Elasticsearch has not taken what 2 runs and changes before " in caplog.text


def test_all_that_is_too_old_is_given_up_a_part_at_a_time(bureau: Bureau) -> None:
    ended_runs(bureau, 1_500)
    expander = Expander(bureau.store, lambda: None, documents_kept=DAY)
    now = bureau.clock.move(2 * DAY)

    assert (expander.run_once(now), expander.run_once(now)) == (now, None)
    assert bureau.waiting() == 0
