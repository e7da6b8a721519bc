"""A node, or a background, has a clock that is half a minute off. Jobs run at the store's time all the same, once, and none is missed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.faults.jobs.plant import Plant, StampingMailServer
from tests.faults.jobs.test_outages import BRIEF, every_second, soon, ticks_from
from tests.stores.conftest import database_of
from tests.support.mongod import Mongod
from tests.support.shifted import shifted
from tests.support.waiting import until

OFF = 30
COUNT = 8
# Half of what a wrong clock would make of it, and more than a busy machine needs.
PUNCTUAL = timedelta(seconds=OFF / 2)


@pytest.fixture
def plant(replica_set: Mongod, tmp_path: Path) -> Iterator[Plant]:
    with database_of(replica_set) as database, StampingMailServer() as mail, Plant(tmp_path, replica_set, database, mail) as plant:
        yield plant


@pytest.mark.parametrize(("node", "background"), [(OFF, 0), (-OFF, 0), (0, OFF), (0, -OFF)])
def test_jobs_run_at_their_ticks_whatever_the_clock_of_a_node_or_a_background_says(plant: Plant, node: int, background: int) -> None:
    plant.background(environ=shifted(background))
    plant.node("wrong", environ=shifted(node))
    plant.node("right")
    for name in ("wrong", "right"):
        plant.wait_for_node(name)
    first = soon(6)
    ticks = ticks_from(first, COUNT)
    for number in range(5):
        plant.job(f"job-{number}", BRIEF, ticks=ticks, schedules=every_second(first))
    last = ticks[-1] + timedelta(milliseconds=1)
    until("an outcome of each", lambda: _ended(plant, last) >= plant.owed)
    verdict = plant.judge(before=last)
    started = [run["started_at"] - run["tick"] for run in plant.database["runs"].find({"outcome": "done"})]

    assert verdict.faults == []
    assert verdict.counts["done"] == plant.owed
    assert min(started) > -PUNCTUAL
    assert max(started) < PUNCTUAL
    assert plant.mail.messages == []


def _ended(plant: Plant, before: object) -> int:
    return plant.database["runs"].count_documents({"outcome": {"$exists": True}, "tick": {"$lt": before}})
