"""What is asked or changed several times a second looks only at what it is about, however many jobs and ended runs there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from coal_mine.domain.job_ports import EndedFilter, RunFilter
from coal_mine.domain.run import RunChange, RunState, ended, started
from coal_mine.stores.sqlite.database import Database
from coal_mine.stores.sqlite.jobs import SqliteJobs
from coal_mine.stores.sqlite.runs import SqliteRuns
from coal_mine.stores.sqlite.triggers import Triggers
from tests.stores.examples import HOUR, NOW, SECOND
from tests.stores.job_examples import job
from tests.stores.run_examples import claim, node, result, run

DAY = timedelta(days=1)


class Measured:
    """Jobs and runs in a file, and how much SQLite does for them: the same work always takes the same number of steps."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._steps = 0
        self._numbers = count()
        self.jobs, self.runs = SqliteJobs(database), SqliteRuns(database)

    def steps(self, work: Callable[[Measured], object]) -> int:
        work(self)  # the first time, SQLite also reads what tables there are
        with self._database.reading() as connection:  # the one that the next reader takes
            connection.set_progress_handler(self._step, 1)
        self._database.write(lambda connection: connection.set_progress_handler(self._step, 1))
        self._steps = 0
        work(self)
        return self._steps

    def _step(self) -> int:
        self._steps += 1
        return 0

    def fill(self, number: int) -> None:
        """Ended runs of one job and of others, the older the later they are added, and jobs with nothing to do yet."""
        before = NOW - (1 + next(self._numbers)) * DAY
        ticks = [before - place * SECOND for place in range(number)]
        runs = [run(job_id=job_id, tick=tick) for tick in ticks for job_id in ("busy", f"job{tick:%H%M%S}")]
        self.runs.add(runs)
        self._end([claim(one) for one in runs])
        for place in range(number):
            self.jobs.add(job(next_at=NOW + HOUR + place * SECOND))

    def run_one(self) -> None:
        self.runs.add([one := run(job_id="busy", tick=NOW + next(self._numbers) * SECOND)])
        self._end([claim(one, lock="busy|1")])

    def _end(self, claims: list[RunChange]) -> None:
        running = [started(each.after, NOW) for each in claims]
        over = [ended(each.after, result(at=each.before.tick)) for each in running]
        for changes in (claims, running, over):
            self.runs.change(changes)
        self.runs.settled([each.after for each in over])


@pytest.fixture
def measured(tmp_path: Path) -> Iterator[Measured]:
    """With something of everything under way."""
    database = Database(tmp_path / "cm.sqlite3", Triggers().perform, lambda: None)
    found = Measured(database)
    found.jobs.add(job("busy"))
    runs = [run(job_id="busy", tick=NOW - place * SECOND) for place in range(3)]
    found.runs.add(runs)
    owing, live = claim(runs[0], lock="busy|0"), claim(runs[1])
    found.runs.change([owing, live])
    found.runs.change([ended(owing.after, result())])
    found.runs.order(runs[1].id, "kill")
    found.fill(2)
    yield found
    database.close()


LATER = NOW + HOUR - SECOND
WORK: dict[str, Callable[[Measured], object]] = {
    "jobs to plan": lambda one: one.jobs.to_plan(LATER, limit=100),
    "jobs that were planned": lambda one: one.jobs.planned([(one.jobs.get("busy"), NOW)]),
    "versions": lambda one: one.jobs.versions(["busy"]),
    "runs that are due": lambda one: one.runs.due(LATER, node=node(), limit=100),
    "runs that are due anywhere": lambda one: one.runs.due(LATER, node=None, limit=100),
    "overdue runs": lambda one: one.runs.overdue(LATER, limit=100),
    "live runs of a node": lambda one: one.runs.live_on("node-1"),
    "nodes with live runs": lambda one: one.runs.live_nodes(),
    "live runs of a job": lambda one: one.runs.live_of("busy"),
    "waiting runs of a job": lambda one: one.runs.waiting_of("busy"),
    "orders": lambda one: one.runs.ordered_on("node-1"),
    "runs that owe": lambda one: one.runs.owing(LATER, limit=100),
    "the latest run": lambda one: one.runs.latest(["busy"]),
    "runs of a tick": lambda one: one.runs.of_tick("busy", NOW),
    "running ones": lambda one: one.runs.select(RunFilter(states=frozenset({RunState.CLAIMED, RunState.RUNNING})), limit=100),
    "missed ones": lambda one: one.runs.select(RunFilter(states=frozenset({RunState.MISSED, RunState.LOST})), limit=100),
    "the newest runs": lambda one: one.runs.select(RunFilter(), limit=3),
    "the newest runs of a job": lambda one: one.runs.select(RunFilter(job_id="busy"), limit=3),
    "the runs that ended last": lambda one: one.runs.ended(EndedFilter(), limit=3),
    "the runs of a job that ended last": lambda one: one.runs.ended(EndedFilter(job_id="busy"), limit=3),
    "the last run that ended": lambda one: one.runs.last_ended(["busy"]),
    "the keys of the newest runs": lambda one: one.runs.keys(RunFilter(), limit=3),
    "withdrawing": lambda one: one.runs.withdraw("busy", below=1, after=NOW - HOUR),
    "forgetting": lambda one: one.runs.forget(NOW - 100 * DAY, limit=100),
    "a whole run": Measured.run_one,
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_the_work_does_not_grow_with_what_has_ended_and_what_is_not_due(measured: Measured, work: Callable[[Measured], object]) -> None:
    few = measured.steps(work)
    measured.fill(20)

    assert 0 < few == measured.steps(work)


def test_work_that_looks_at_everything_grows(measured: Measured) -> None:
    few = measured.steps(lambda one: one.runs.select(RunFilter(), limit=1_000))
    measured.fill(20)

    assert measured.steps(lambda one: one.runs.select(RunFilter(), limit=1_000)) > few
