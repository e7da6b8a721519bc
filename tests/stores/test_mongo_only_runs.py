"""What only MongoDB could do wrong with runs: queries without an index, messages that are too long, and primaries that resign."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo.database import Database
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from coal_mine.domain.job import Definition
from coal_mine.domain.job_ports import EndedFilter, JobFilter, RunFilter
from coal_mine.domain.run import Outcome, Run, RunChange, RunState, ended, missed
from coal_mine.stores.mongo.primary import PrimaryListener
from coal_mine.stores.mongo.store import MongoStore, open_store
from tests.stores.conftest import database_of
from tests.stores.examples import HOUR, MILLISECOND, NOW, SECOND
from tests.stores.job_examples import job
from tests.stores.run_examples import added_running, claim, node, result, run, written
from tests.support.mongod import Mongod, OwnMongod
from tests.support.waiting import until

Documents = Database[dict[str, Any]]
BOTH = RunFilter(states=frozenset({RunState.FAILED, RunState.LOST}))


class Reads(CommandListener):
    """Keeps the last read, to be explained afterwards."""

    def __init__(self) -> None:
        self.last: dict[str, Any] = {}

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in ("find", "aggregate", "distinct"):
            kept = {
                name: value
                for name, value in event.command.items()
                if name not in ("lsid", "$db", "maxTimeMS", "$clusterTime", "txnNumber")
            }
            self.last = kept | ({"cursor": {}} if event.command_name == "aggregate" else {})

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


class Explained:
    """A store with a few of everything among many runs that have ended, and how it reads."""

    def __init__(self, store: MongoStore, database: Documents, reads: Reads) -> None:
        self.store = store
        self._database = database
        self._reads = reads

    def of(self, ask: Callable[[MongoStore], Any]) -> dict[str, Any]:
        ask(self.store)
        answer = self._database.command("explain", self._reads.last, verbosity="executionStats")
        return answer.get("stages", [{"$cursor": answer}])[0]["$cursor"] if "stages" in answer else answer


@pytest.fixture(scope="module")
def explained(mongod: Mongod) -> Iterator[Explained]:
    with database_of(mongod) as database:
        reads = Reads()
        store = MongoStore(mongod.client(event_listeners=[reads])[database.name], PrimaryListener())
        until("the indexes", lambda: "next_at_1__id_1" in database["jobs"].index_information())
        _fill(store)
        yield Explained(store, database, reads)
        store.close()


def _fill(store: MongoStore) -> None:
    past = [
        run(job_id=f"job-{number % 10}", tick=at, state=RunState.DONE, attempt=1, node=f"node-{number % 5}", ended_at=at)
        for number, at in enumerate(NOW - number * SECOND for number in range(1_000))
    ]
    store.runs.add(past)
    store.runs.add([run(job_id="job-1", tick=NOW + number * SECOND, pools=("default", "other")) for number in range(1, 11)])
    store.runs.add([run(job_id="job-2", tick=NOW + number * SECOND, pools=("foreign",)) for number in range(1, 301)])
    store.runs.add([run(job_id="job-3", tick=NOW - HOUR, slot=f"node-{number}", state=RunState.LOST, ended_at=NOW) for number in range(3)])
    for number in range(3):
        one = added_running(store, job_id="job-1", tick=NOW - number * MILLISECOND)
        store.runs.order(one.id, "kill")
    for number in range(60):
        store.jobs.add(job(f"group:job-{number:03}", next_at=NOW + number * SECOND if number % 2 else None))


HOT: dict[str, tuple[Callable[[MongoStore], Any], int]] = {
    "due on a node": (lambda store: store.runs.due(NOW + 5 * SECOND, node=node(pools=("default", "other")), limit=3), 12),
    "due at all": (lambda store: store.runs.due(NOW + HOUR, node=None, limit=5), 6),
    "overdue": (lambda store: store.runs.overdue(NOW + 65 * SECOND, limit=5), 6),
    "live on a node": (lambda store: store.runs.live_on("node-1"), 4),
    "nodes with live runs": (lambda store: store.runs.live_nodes(), 3),
    "live of a job": (lambda store: store.runs.live_of("job-1"), 14),
    "waiting of a job": (lambda store: store.runs.waiting_of("job-1"), 14),
    "of a tick": (lambda store: store.runs.of_tick("job-3", NOW - HOUR), 4),
    "with orders": (lambda store: store.runs.ordered_on("node-1"), 4),
    "owing": (lambda store: store.runs.owing(NOW + HOUR, limit=5), 1),
    "that ended last": (lambda store: store.runs.ended(EndedFilter(), limit=5), 12),
    "that ended last, of a job": (lambda store: store.runs.ended(EndedFilter(job_id="job-4"), limit=5), 6),
    "that ended in some time, of a job": (
        lambda store: store.runs.ended(EndedFilter(job_id="job-4", until=NOW - HOUR / 10, since=NOW - HOUR / 8), limit=5),
        6,
    ),
    "the last of a job": (lambda store: store.runs.last_ended(["job-4"]), 1),
    "to be forgotten": (lambda store: store.runs.forget(NOW - HOUR, limit=5), 1),
    "jobs to plan": (lambda store: store.jobs.to_plan(NOW + 9 * SECOND, limit=3), 4),
    "versions of jobs": (lambda store: store.jobs.versions(["group:job-001", "group:job-002"]), 4),
}
LISTS: dict[str, tuple[Callable[[MongoStore], Any], int]] = {
    "everything": (lambda store: store.runs.select(RunFilter(), limit=20), 21),
    "a further page": (lambda store: store.runs.select(RunFilter(), before=(NOW - 500 * SECOND, "x"), limit=20), 21),
    "of a job": (lambda store: store.runs.select(RunFilter(job_id="job-4"), limit=20), 21),
    "of a job, further": (lambda store: store.runs.select(RunFilter(job_id="job-4"), before=(NOW - 99 * SECOND, "x"), limit=9), 10),
    "on a node": (lambda store: store.runs.select(RunFilter(node="node-2"), limit=20), 21),
    "in bad states": (lambda store: store.runs.select(BOTH, limit=20), 8),
    "in bad states, further": (lambda store: store.runs.select(BOTH, before=(NOW, "x"), limit=20), 8),
    "under way": (lambda store: store.runs.select(RunFilter(states=frozenset({RunState.RUNNING})), limit=20), 320),
    "keys of some time": (lambda store: store.runs.keys(RunFilter(since=NOW - HOUR, until=NOW), limit=20), 21),
    "keys of those that ended in some time": (lambda store: store.runs.ended(EndedFilter(since=NOW - HOUR, until=NOW), limit=20), 21),
    "jobs of a namespace": (lambda store: store.jobs.select(JobFilter(namespace=("group",)), after="group:job-020", limit=9), 10),
    "jobs with a name": (lambda store: store.jobs.select(JobFilter(name="nosuchname"), limit=9), 1),
    "jobs with a tag": (lambda store: store.jobs.select(JobFilter(tag="nosuchtag"), limit=9), 1),
}


@pytest.mark.parametrize("question", [*HOT, *LISTS])
def test_a_question_reads_what_it_is_about_and_not_what_has_ended(explained: Explained, question: str) -> None:
    ask, most = (HOT | LISTS)[question]
    stats = explained.of(ask)["executionStats"]

    assert stats["totalKeysExamined"] <= most
    assert stats["totalDocsExamined"] <= most


@pytest.mark.parametrize("question", [name for name in HOT if name not in ("live on a node", "with orders", "live of a job", "of a tick")])
def test_what_is_asked_all_the_time_comes_from_an_index_in_its_order(explained: Explained, question: str) -> None:
    plan = str(explained.of(HOT[question][0])["queryPlanner"]["winningPlan"])

    assert "SORT'" not in plan
    assert "COLLSCAN" not in plan


def test_runs_that_have_ended_are_in_no_index_of_what_is_asked_all_the_time(mongod: Mongod) -> None:
    with database_of(mongod) as database:
        store = open_store(mongod.uri, database.name, {})
        until("the indexes", lambda: "next_at_1__id_1" in database["jobs"].index_information())
        one = written(store, ended(added_running(store, lock="lock"), result()))
        store.runs.settled([one])
        kept = {name for name in database["runs"].index_information() if list(database["runs"].find({}, {"_id": 1}, hint=name))}
        store.close()

    assert kept == {
        "_id_",
        "tick_1__id_1",
        "job_id_1_tick_1__id_1",
        "node_1_tick_1__id_1",
        "outcome_1_tick_1__id_1",
        "over_at_1__id_1",
        "job_id_1_over_at_1__id_1",
    }


def test_more_runs_than_a_command_holds_are_all_added_and_changed(open_mongo_store: Callable[[], MongoStore]) -> None:
    store = open_mongo_store()
    runs = [run() for _ in range(1_100)]
    added_runs = store.runs.add(runs)
    outcomes = store.runs.change([missed(one, "late", NOW) for one in runs])

    assert added_runs == 1_100
    assert outcomes == [Outcome.WON] * 1_100
    assert {one.state for one in store.runs.find([one.id for one in runs]).values()} == {RunState.MISSED}


def test_runs_with_very_long_definitions_are_all_added(open_mongo_store: Callable[[], MongoStore]) -> None:
    """Together they are larger than one message to the database may be."""
    definition = Definition(name="Long", command="true", env=tuple((f"V{number}", "x" * 32_000) for number in range(100)))
    store = open_mongo_store()

    assert store.runs.add([run(definition=definition) for _ in range(18)]) == 18


class _Claimer(threading.Thread):
    """Adds and claims runs, batch after batch, until it is told to stop."""

    def __init__(self, store: MongoStore) -> None:
        super().__init__()
        self.claims: list[RunChange] = []
        self.outcomes: list[Outcome] = []
        self.failed: list[Exception] = []
        self._store = store
        self._stop_it = threading.Event()

    def run(self) -> None:
        while not self._stop_it.is_set():
            batch = [run() for _ in range(200)]
            try:
                self._store.runs.add(batch)
                claims = [claim(one, f"nonce-{one.id}", lock=one.id) for one in batch]
                self.outcomes += self._store.runs.change(claims)
                self.claims += claims
            except Exception as error:  # noqa: BLE001 - judged by the test
                self.failed.append(error)

    def stop(self) -> None:
        self._stop_it.set()
        self.join()

    def wait_for_more(self) -> None:
        seen = len(self.claims)
        until("claims", lambda: len(self.claims) > seen + 400 or not self.is_alive())

    def recorded(self) -> dict[str, Run]:
        return self._store.runs.find([each.before.id for each in self.claims])


def test_a_primary_that_resigns_among_claims_loses_none_and_refuses_none(own_replica_set: OwnMongod) -> None:
    with database_of(own_replica_set) as database:
        store = open_store(own_replica_set.uri, database.name, {})
        claimer = _Claimer(store)
        claimer.start()
        claimer.wait_for_more()
        own_replica_set.step_down()
        claimer.wait_for_more()
        claimer.stop()
        recorded = claimer.recorded()
        again = store.runs.change(claimer.claims)
        others = store.runs.change([claim(each.before, "other", lock=each.before.id) for each in claimer.claims])
        store.close()

    assert claimer.failed == []
    assert set(claimer.outcomes) == {Outcome.WON}
    assert recorded == {each.before.id: each.after for each in claimer.claims}
    assert set(again) == {Outcome.WON}
    assert set(others) == {Outcome.LOST}


def test_indexes_of_earlier_versions_that_nobody_needs_are_dropped(mongod: Mongod) -> None:
    with database_of(mongod) as database:
        database["runs"].create_index("over_at", partialFilterExpression={"over_at": {"$exists": True}})
        store = open_store(mongod.uri, database.name, {})
        until("the new ones alone", lambda: _names(database) >= {"over_at_1__id_1"} and "over_at_1" not in _names(database))
        store.close()


def _names(database: Any) -> set[str]:
    return set(database["runs"].index_information())
