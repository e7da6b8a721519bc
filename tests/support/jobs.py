"""A server's parts around jobs, each a step that the test calls, at a time that only the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from coal_mine.background.planner import Planner
from coal_mine.background.sweeper import Sweeper
from coal_mine.background.unsettled import UnsettledJobs
from coal_mine.domain.alert import REPORTS, Delivery
from coal_mine.domain.canary import Canary, Entry
from coal_mine.domain.job import Job
from coal_mine.domain.job_ports import RunFilter
from coal_mine.domain.node import Node
from coal_mine.domain.ports import Store
from coal_mine.domain.run import End, Outcome, Result, Run, RunChange, RunState, claimed, ended, lock_of, started
from coal_mine.services.job_canaries import JobCanaries
from coal_mine.services.jobs import Jobs
from coal_mine.services.outcomes import Outcomes
from coal_mine.services.runs import Runs
from coal_mine.stores.sqlite.store import open_store
from tests.support.edges import FakeClock, SequenceIds

MINUTELY = [{"cron": "* * * * *"}]
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@contextmanager
def scene_in(directory: Path) -> Iterator[Scene]:
    """On a store of its own."""
    store = open_store(directory / "cm.sqlite3")
    yield Scene(store)
    store.close()


class Scene:
    def __init__(self, store: Store, clock: FakeClock | None = None) -> None:
        self.store = store
        self.clock = clock or FakeClock()
        self.ids = SequenceIds()
        self.jobs = Jobs(store, self.clock, self.ids, JobCanaries(store, self.ids))
        self.runs = Runs(store, self.clock, self.ids)
        self.outcomes = Outcomes(store, alert_owed=lambda: None)
        self.planner = self.new_planner()
        self.sweeper = self.new_sweeper()
        self.unsettled = UnsettledJobs(store, self.jobs.settle)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def new_planner(self, store: Store | None = None) -> Planner:
        return Planner(store or self.store, run_planned=lambda: None, run_ended=self.outcomes.tell)

    def new_sweeper(self) -> Sweeper:
        return Sweeper(self.store, tell=self.outcomes.tell, kept=30 * DAY, lost_after=DAY)

    def job(self, **body: Any) -> Job:
        """Named Backup, at each minute, unless said otherwise."""
        return self.jobs.create({"name": "Backup", "command": "true", "schedules": MINUTELY, "kill_wait": 0.2} | body).job

    def plan(self) -> None:
        """All that is to be planned now."""
        while (again := self.planner.run_once(self.now)) is not None and again <= self.now:
            pass

    def sweep(self) -> None:
        """By one that has been in contact with the store for long enough."""
        self.sweeper.run_once(self.now)
        self.sweeper.run_once(self.clock.move(8 * SECOND))

    def planned(self, **body: Any) -> Run:
        """The next run of a new job."""
        job = self.job(**body)
        self.plan()
        return self.runs_of(job)[0]

    def runs_of(self, job: Job | Run) -> list[Run]:
        """The oldest tick first."""
        job_id = job.id if isinstance(job, Job) else job.job_id
        return self.store.runs.select(RunFilter(job_id=job_id), limit=20_000)[::-1]

    def states_of(self, job: Job | Run) -> list[RunState]:
        return [run.state for run in self.runs_of(job)]

    def get(self, run: Run) -> Run:
        return self.store.runs.get(run.id)

    def canary_of(self, one: Job | Run) -> Canary:
        job_id = one.id if isinstance(one, Job) else one.job_id
        return self.store.canaries.get(self.store.jobs.get(job_id).canary_id)

    def history_of(self, one: Job | Run) -> list[Entry]:
        """Newest first."""
        return self.store.canaries.history(self.canary_of(one).id, limit=100)

    def node(self, name: str = "alpha", **values: Any) -> Node:
        """One that is seen now."""
        plain = Node(
            name=name, pools=("default",), users=("*",), timezone="UTC", slots=8, cpus=0, mem=0, host="host", pid=1, boot="boot",
            version="1", started_at=self.now, seen_at=self.now,
        )  # fmt: skip
        return self.store.nodes.beat(replace(plain, **values))

    def write(self, change: RunChange) -> Run:
        assert self.store.runs.change([change]) == [Outcome.WON]
        return change.after

    def claim(self, run: Run, node: str = "alpha") -> Run:
        change = claimed(
            run, node=node, boot="boot", nonce=self.ids.nonce(), lock="" if run.limit is None else lock_of(run, 0), now=self.now
        )
        return self.write(change)

    def start(self, run: Run, node: str = "alpha") -> Run:
        return self.write(started(self.claim(run, node), self.now))

    def end(self, run: Run, *, exit_code: int = 0, **result: Any) -> Run:
        """Started before it, if it was not; told by nobody yet."""
        running = run if run.is_live else self.start(run)
        values = {"end": End.EXITED, "started_at": running.started_at, "ended_at": self.now, "exit_code": exit_code} | result
        return self.write(ended(running, Result(**values)))

    def tell(self, *runs: Run) -> None:
        self.outcomes.tell(runs)

    def next_run(self, job: Job | Run) -> Run:
        """The run of the next tick, when it is due."""
        while True:
            self.plan()
            tick = next((run for run in self.runs_of(job) if run.tick > self.now), None)
            if tick:
                self.clock.move(tick.tick - self.now)
                return tick
            self.clock.move(MINUTE)

    @property
    def alerts(self) -> list[str]:
        """The kinds of all that people were, or will be, told about canaries; the oldest first."""
        return [each.alert.kind.value for each in self._deliveries() if each.alert.channel != REPORTS]

    @property
    def details(self) -> list[str]:
        return [each.alert.detail for each in self._deliveries() if each.alert.channel != REPORTS]

    @property
    def reports(self) -> list[Delivery]:
        return [each for each in self._deliveries() if each.alert.channel == REPORTS]

    def _deliveries(self) -> list[Delivery]:
        self.store.outbox.expand()
        return self.store.outbox.deliveries(limit=10_000)[::-1]
