"""Backgrounds are away, or the primary changes, while jobs tick. Each tick has its one outcome, and what was missed is told."""

from __future__ import annotations

import random
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest

from coal_mine.clock import monotonic
from tests.faults.jobs.facts import END, START
from tests.faults.jobs.plant import Plant
from tests.faults.scene import is_long, new_seed, pause, seconds
from tests.support.mongod import OwnMongod
from tests.support.waiting import until

# The outage is as long as the start deadline needs to pass; in the long form as long as the issue of it asks for.
OUTAGE = 180 if is_long() else 3
JOBS = 50 if is_long() else 20
BRIEF = f"{START}; {END}"
# Between the deadline, or the first background's return, and the mail; on a busy machine by as much more as that holds everybody up.
PROMPT = timedelta(seconds=10)


class Lag:
    """How much later than they wanted threads of this machine wake up."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Lag:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            begin = monotonic()
            self._ending.wait(0.05)
            self.worst = max(self.worst, monotonic() - begin - 0.05)


def ticks_from(first: datetime, count: int) -> list[datetime]:
    return [first + timedelta(seconds=second) for second in range(count)]


def soon(seconds: int) -> datetime:
    """A whole second."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


def every_second(first: datetime) -> list[dict[str, object]]:
    return [{"every": 1, "from": first.isoformat()}]


def wait_for(moment: datetime) -> None:
    threading.Event().wait(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


@pytest.fixture(scope="module")
def replica_set(own_replica_set: OwnMongod) -> OwnMongod:
    """Instead of the one that others use."""
    return own_replica_set


def test_what_was_missed_while_no_background_was_alive_is_told_when_the_first_one_is_back(plant: Plant) -> None:
    background = plant.background()
    node = plant.node("one")
    plant.wait_for_node("one")
    node.freeze()
    ticks = ticks_from(soon(4), 3)
    for number in range(4):
        plant.job(f"missed-{number}", BRIEF, ticks=ticks, schedules=[{"at": tick.isoformat()} for tick in ticks], start_deadline=1)
    until("plans", lambda: plant.database["runs"].count_documents({"tick": {"$lte": ticks[-1]}}) == 4 * len(ticks))
    background.stop(signal.SIGKILL)
    wait_for(ticks[-1] + timedelta(seconds=OUTAGE))
    told_before = len(plant.told())
    with Lag() as lag:
        node.thaw()  # it may start nothing of what is too late by now
        background.start()
        back_at = datetime.now(UTC)
        runs = [record.id for record in plant.records(until=(ticks[-1] + timedelta(milliseconds=1)).isoformat())]
        plant.wait_for_end(runs)
        verdict = plant.judge(before=ticks[-1] + timedelta(milliseconds=1))
    slowest = max(told.arrived_at for told in plant.told() if told.arrived_at and told.at < back_at + PROMPT)
    print(f"\n{verdict}; told {(slowest - back_at).total_seconds():.1f} s after the return, threads {lag.worst:.2f} s late")  # noqa: T201 - the measurement

    assert verdict.faults == []
    assert told_before == 0
    assert verdict.counts["missed"] == 4 * len(ticks)
    assert slowest - back_at < PROMPT + timedelta(seconds=20 * lag.worst)


def test_jobs_run_without_any_background(plant: Plant) -> None:
    """Nodes plan, too."""
    plant.node("one")
    plant.wait_for_node("one")
    first = soon(2)
    ticks = ticks_from(first, OUTAGE)
    plant.job("alone", BRIEF, ticks=ticks, schedules=every_second(first))
    wait_for(ticks[-1])
    until("all runs", lambda: plant.database["runs"].count_documents({"outcome": "done", "tick": {"$lte": ticks[-1]}}) >= len(ticks))

    assert plant.judge(before=ticks[-1] + timedelta(milliseconds=1)).faults == []


def test_no_tick_of_many_jobs_is_lost_or_doubled_when_the_primary_changes(plant: Plant, replica_set: OwnMongod) -> None:
    seed = new_seed()
    chance = random.Random(seed)
    for number in range(2):
        plant.background(f"background-{number}")
        plant.node(f"node-{number}")
    for number in range(2):
        plant.wait_for_node(f"node-{number}")
    first = soon(12 if is_long() else 6)
    ticks = ticks_from(first, max(4, round(seconds())))
    for number in range(JOBS):
        plant.job(f"job-{number}", BRIEF, ticks=ticks, schedules=every_second(first))
    wait_for(first)
    changes = 0
    while datetime.now(UTC) < ticks[-1] - timedelta(seconds=2):
        pause(chance, 0.0, 2.0)
        replica_set.step_down()
        changes += 1
        replica_set.wait_until_whole()
        pause(chance, 0.0, 8.0 if is_long() else 0.1)
    last = ticks[-1] + timedelta(milliseconds=1)
    until(
        "an outcome of each",
        lambda: plant.database["runs"].count_documents({"outcome": {"$exists": True}, "tick": {"$lt": last}}) >= plant.owed,
    )
    verdict = plant.judge(before=last)
    print(f"\nseed {seed}: {verdict}; {changes} changes")  # noqa: T201 - the counts

    assert verdict.faults == []
    assert verdict.counts["missed"] == verdict.counts["lost"] == 0
