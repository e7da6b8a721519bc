"""Questions about the audit log look only at what they are about, however many entries there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database as MongoDatabase
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditKind, AuditStore
from coal_mine.stores.mongo.primary import PrimaryListener
from coal_mine.stores.mongo.store import MongoStore
from coal_mine.stores.sqlite.audit import SqliteAudit
from coal_mine.stores.sqlite.database import Database
from coal_mine.stores.sqlite.triggers import Triggers
from tests.stores.conftest import database_of
from tests.stores.examples import NOW, SECOND
from tests.support.mongod import Mongod
from tests.support.waiting import until

# The entries that each may look at.
LISTS: dict[str, tuple[Callable[[AuditStore], Any], int]] = {
    "the newest": (lambda audit: audit.select(AuditFilter(), limit=9), 9),
    "older ones": (lambda audit: audit.select(AuditFilter(until=NOW - 9 * SECOND), limit=9), 10),
    "of a job": (lambda audit: audit.select(AuditFilter(subject="job-7"), limit=9), 10),
    "the keys of the newest": (lambda audit: audit.keys(AuditFilter(), limit=9), 9),
    "some by their ids": (lambda audit: audit.find(["0001", "0003", "nosuch"]), 6),
    "to be forgotten": (lambda audit: audit.forget(NOW - 390 * SECOND, limit=9), 10),
}
KEYS = {
    "the newest": (AuditFilter(), 101),
    "of a time": (AuditFilter(since=NOW - 9 * SECOND), 11),
    "of a job": (AuditFilter(subject="job-7"), 41),
}


def entries(number: int, *, older: int = 0) -> list[AuditEntry]:
    """A second apart, of ten jobs and all kinds."""
    kinds = [*AuditKind]
    return [
        AuditEntry(id=f"{place:04}", at=NOW - place * SECOND, kind=kinds[place % 4], subject=f"job-{place % 10}", by="")
        for place in range(older, older + number)
    ]


class Reads(CommandListener):
    """Keeps the last read, to be explained afterwards."""

    def __init__(self) -> None:
        self.last: dict[str, Any] = {}

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in ("find", "aggregate"):
            names = ("find", "aggregate", "filter", "sort", "skip", "limit", "projection", "pipeline")
            self.last = {name: event.command[name] for name in names if name in event.command}
            if event.command_name == "aggregate":
                self.last["cursor"] = {}

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


class Explained:
    def __init__(self, audit: AuditStore, database: MongoDatabase[dict[str, Any]], reads: Reads) -> None:
        self._audit = audit
        self._database = database
        self._reads = reads

    def of(self, ask: Callable[[AuditStore], Any]) -> dict[str, Any]:
        ask(self._audit)
        answer = self._database.command("explain", self._reads.last, verbosity="executionStats")
        found: dict[str, Any] = answer["stages"][0]["$cursor"] if "stages" in answer else answer
        return found


@pytest.fixture(scope="module")
def explained(mongod: Mongod) -> Iterator[Explained]:
    with database_of(mongod) as database:
        reads = Reads()
        store = MongoStore(mongod.client(event_listeners=[reads])[database.name], PrimaryListener())
        until("the indexes", lambda: "subject_1_at_1__id_1_kind_1" in database["audit"].index_information())
        store.audit.add(entries(400))
        yield Explained(store.audit, database, reads)
        store.close()


@pytest.mark.parametrize("question", LISTS)
def test_mongodb_reads_a_list_from_an_index_in_its_order(explained: Explained, question: str) -> None:
    ask, most = LISTS[question]
    found = explained.of(ask)
    stats = found["executionStats"]

    assert max(stats["totalKeysExamined"], stats["totalDocsExamined"]) <= most
    assert "'SORT'" not in str(found["queryPlanner"]["winningPlan"])


@pytest.mark.parametrize("question", KEYS)
def test_mongodb_reads_keys_from_an_index_alone(explained: Explained, question: str) -> None:
    wanted, most = KEYS[question]
    stats = explained.of(lambda audit: audit.keys(wanted, limit=100))["executionStats"]

    assert stats["totalKeysExamined"] <= most
    assert stats["totalDocsExamined"] == 0


class Measured:
    """How much SQLite does: the same work always takes the same number of steps."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._steps = count()
        self.audit = SqliteAudit(database)

    def steps(self, work: Callable[[AuditStore], Any]) -> int:
        work(self.audit)  # the first time, SQLite also reads what tables there are
        with self._database.reading() as connection:  # the one that the next reader takes
            connection.set_progress_handler(self._step, 1)
        self._database.write(lambda connection: connection.set_progress_handler(self._step, 1))
        before = next(self._steps)
        work(self.audit)
        return next(self._steps) - before

    def _step(self) -> int:
        next(self._steps)
        return 0


@pytest.fixture
def measured(tmp_path: Path) -> Iterator[Measured]:
    database = Database(tmp_path / "cm.sqlite3", Triggers().perform, lambda: None)
    found = Measured(database)
    found.audit.add(entries(400))
    yield found
    database.close()


WORK: dict[str, Callable[[AuditStore], Any]] = {
    **{name: ask for name, (ask, _) in LISTS.items() if name != "to be forgotten"},
    "forgetting": lambda audit: audit.forget(NOW - 900 * SECOND, limit=9),
    "the keys of a time": lambda audit: audit.keys(AuditFilter(since=NOW - 9 * SECOND), limit=100),
    "the keys of a time, of a job": lambda audit: audit.keys(AuditFilter(since=NOW - 99 * SECOND, subject="job-7"), limit=100),
}


@pytest.mark.parametrize("question", WORK)
def test_sqlite_does_as_much_for_a_question_whatever_else_there_is(measured: Measured, question: str) -> None:
    few = measured.steps(WORK[question])
    measured.audit.add(entries(400, older=400))

    assert 3 < few == measured.steps(WORK[question])


def test_a_question_about_everything_grows(measured: Measured) -> None:
    few = measured.steps(lambda audit: audit.keys(AuditFilter(), limit=1_000))
    measured.audit.add(entries(400, older=400))

    assert measured.steps(lambda audit: audit.keys(AuditFilter(), limit=1_000)) > few
