"""What becomes of documents that Elasticsearch does not take, or that nobody can send. The server is a real one."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from coal_mine.background.document_sender import FIRST_RETRY, LAST_RETRY, LEASE, PARTLY_RETRY, DocumentIndex
from coal_mine.background.outbox import Expander
from coal_mine.domain.alert import DeliveryState
from coal_mine.domain.errors import DeliveryFailed, StoreUnavailable
from coal_mine.domain.job import Definition
from coal_mine.domain.run import Run
from coal_mine.services.documents import SentDocument, Taken
from tests.background.bureau import Bureau
from tests.support.agents import Line
from tests.support.jobs import DAY, HOUR


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


def test_any_number_that_is_not_taken_for_now_holds_up_no_other(bureau: Bureau) -> None:
    bureau.ended_runs(501)
    bureau.elastic.faults["job-"] = (403, "cluster_block_exception")
    bureau.send()
    bureau.clock.move(PARTLY_RETRY)
    later = bureau.told()
    bureau.send()

    assert f"{later.id}|report" in bureau.elastic.ids()


def ids_of(runs: list[Run]) -> set[str]:
    return {f"{run.id}|report" for run in runs}


def test_those_behind_ones_that_are_not_taken_are_sent_each_time_anew(bureau: Bureau) -> None:
    bureau.send()
    bureau.ended_runs(1_500)
    bureau.elastic.faults["job-"] = (403, "cluster_block_exception")
    missing = []
    for _ in range(3):
        healthy = [bureau.told() for _ in range(3)]
        bureau.send()
        missing.append(ids_of(healthy) - set(bureau.elastic.ids()))
        bureau.clock.move(PARTLY_RETRY)

    assert missing == [set()] * 3


def test_a_full_turn_of_what_is_taken_does_not_begin_again_with_what_is_not(bureau: Bureau) -> None:
    bureau.send()
    bureau.ended_runs(1_000)
    bureau.elastic.faults["job-"] = (403, "cluster_block_exception")
    for _ in range(2):
        bureau.sender.run_once(bureau.now)
    tried = len(bureau.elastic.sizes)
    bureau.elastic.faults.clear()
    bureau.ended_runs(600)
    bureau.send()

    assert (sum(bureau.elastic.sizes[tried:]), bureau.waiting()) == (1_200, 1_000)


def test_those_that_were_passed_over_have_their_turn_again(bureau: Bureau) -> None:
    bureau.ended_runs(501)
    bureau.elastic.faults["|"] = (403, "cluster_block_exception")
    bureau.send()
    bureau.elastic.faults.clear()
    bureau.clock.move(bureau.next_try())
    bureau.send()

    assert bureau.waiting() == 0


@pytest.mark.parametrize("count", [1, 500, 501, 1_000])
def test_whoever_has_come_to_the_end_of_what_is_not_taken_waits(bureau: Bureau, count: int) -> None:
    bureau.send()
    bureau.elastic.forget()
    bureau.ended_runs(count)
    bureau.elastic.faults["|"] = (403, "cluster_block_exception")
    bureau.send()

    assert sum(bureau.elastic.sizes) == 2 * count


def test_the_wait_doubles_with_each_time_that_nothing_is_taken(bureau: Bureau) -> None:
    bureau.ended_runs(1)
    bureau.elastic.faults["|"] = (403, "cluster_block_exception")
    waits = []
    for _ in range(6):
        bureau.send()
        waits.append(bureau.next_try())
        bureau.clock.move(waits[-1])

    assert waits == [min(PARTLY_RETRY * 2**number, LAST_RETRY) for number in range(1, 7)]


def test_after_something_was_taken_the_wait_is_short_again(bureau: Bureau) -> None:
    bureau.ended_runs(1)
    bureau.elastic.faults["job-"] = (403, "cluster_block_exception")
    for _ in range(4):
        bureau.send()
        bureau.clock.move(bureau.next_try())
    bureau.told()
    bureau.send()

    assert bureau.next_try() == PARTLY_RETRY


def test_what_is_not_taken_is_told_of_once_each_time(bureau: Bureau, caplog: pytest.LogCaptureFixture) -> None:
    bureau.send()
    bureau.ended_runs(600)
    bureau.elastic.faults["|"] = (403, "cluster_block_exception")
    caplog.clear()
    bureau.send()

    (told,) = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert told.startswith("what 600 runs and changes owe Elasticsearch was not taken, next try in 20 s: 403: cluster_block_exception")


def test_those_that_are_not_taken_for_now_need_no_more_requests_each_time(bureau: Bureau) -> None:
    bureau.ended_runs(10)
    bureau.elastic.faults["|"] = (403, "cluster_block_exception")
    for _ in range(6):
        bureau.send()
        bureau.clock.move(bureau.next_try())

    assert bureau.elastic.sizes == [20] * 6


class Dying:
    """Its process ends after the documents were taken, and before anybody has noted it."""

    name = "Elasticsearch"

    def __init__(self, index: DocumentIndex) -> None:
        self._index = index

    def send(self, documents: Sequence[SentDocument]) -> Taken:
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

    def send(self, documents: Sequence[SentDocument]) -> Taken:
        raise StoreUnavailable("the store is away")


def test_a_store_that_is_away_for_a_moment_leaves_the_claim_to_the_next_one(bureau: Bureau) -> None:
    run = bureau.told()
    with pytest.raises(StoreUnavailable):
        bureau.new_sender(Losing(bureau.index)).run_once(bureau.now)
    bureau.send()

    assert f"{run.id}|report" in bureau.elastic.ids()


def test_a_store_that_is_away_while_a_document_is_made_refuses_none(bureau: Bureau) -> None:
    run = bureau.told_with_output(b"hello\n")
    line = Line(bureau.store)
    with line.losing("output.read"), pytest.raises(StoreUnavailable):
        bureau.new_sender(store=line).run_once(bureau.now)
    bureau.send()

    assert f"{run.id}|report" in bureau.elastic.ids()


class Odd(Dying):
    """Answers what nobody has thought of."""

    def send(self, documents: Sequence[SentDocument]) -> Taken:
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


def test_after_a_failure_less_is_sent_at_once(bureau: Bureau) -> None:
    bureau.ended_runs(200)
    bureau.elastic.status = 503
    bureau.sender.run_once(bureau.now)
    bureau.elastic.status = 200
    bureau.clock.move(FIRST_RETRY)
    bureau.send()

    assert bureau.elastic.sizes == [200, 200]


class Fickle(Dying):
    """Fails as a whole, but for the first of the requests after it was told to."""

    takes_one = False

    def send(self, documents: Sequence[SentDocument]) -> Taken:
        if not self.takes_one:
            raise DeliveryFailed("no answer")
        self.takes_one = False
        return self._index.send(documents)


def test_a_failure_after_a_success_waits_as_briefly_as_the_first(bureau: Bureau) -> None:
    bureau.ended_runs(200)
    fickle = Fickle(bureau.index)
    bureau.sender = bureau.new_sender(fickle)
    for _ in range(4):
        bureau.sender.run_once(bureau.now)
        bureau.clock.move(bureau.next_try())
    fickle.takes_one = True
    bureau.sender.run_once(bureau.now)

    assert bureau.next_try() == FIRST_RETRY


def test_after_a_failure_the_next_try_begins_with_the_request_that_failed(bureau: Bureau) -> None:
    bureau.send()
    runs = bureau.ended_runs(300)
    bureau.elastic.faults["job-"] = (403, "cluster_block_exception")
    fickle = Fickle(bureau.index)
    bureau.sender = bureau.new_sender(fickle)
    for _ in range(2):
        fickle.takes_one = True
        bureau.sender.run_once(bureau.now)
        bureau.clock.move(FIRST_RETRY)
        bureau.elastic.faults.clear()

    assert ids_of(runs[200:]) <= set(bureau.elastic.ids())


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
    bureau.ended_runs(1_500)
    expander = Expander(bureau.store, lambda: None, documents_kept=DAY)
    now = bureau.clock.move(2 * DAY)

    assert (expander.run_once(now), expander.run_once(now)) == (now, None)
    assert bureau.waiting() == 0
