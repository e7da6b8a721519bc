"""What needs root: a node whose disk is full, and a replica set whose primary is cut off from the network, while jobs tick each second."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest

from tests.faults.jobs.plant import Plant, StampingMailServer
from tests.faults.jobs.test_outages import BRIEF, every_second, soon, ticks_from, wait_for
from tests.faults.scene import new_seed, pause, seconds
from tests.stores.conftest import database_of
from tests.support.cut_off import DistantMongod
from tests.support.waiting import until

JOBS = 50
_SIZE = 16 << 20


@pytest.fixture
def distant() -> Iterator[DistantMongod]:
    servers = DistantMongod()
    with servers:
        yield servers


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Where the node "full" keeps what its runs leave."""
    place = tmp_path / "full" / "state"
    place.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "none", str(place)], capture_output=True, text=True, check=False
    )
    assert mounted.returncode == 0, f"this scenario mounts a small disk and must run as root: {mounted.stderr}"
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_no_tick_is_lost_or_doubled_while_the_primary_is_cut_off_again_and_again(distant: DistantMongod, tmp_path: Path) -> None:
    seed = new_seed()
    chance = random.Random(seed)
    with database_of(distant) as database, StampingMailServer() as mail, Plant(tmp_path, distant, database, mail) as plant:
        for number in range(2):
            plant.background(f"background-{number}")
            plant.node(f"node-{number}")
        first, ticks = _many_jobs(plant)
        wait_for(first)
        while datetime.now(UTC) < ticks[-1] - timedelta(seconds=10):
            with chance.choice((distant.primary_unplugged, distant.primary_alone))():
                pause(chance, 0.5, 12.0)
            distant.wait_until_whole()
            pause(chance, 1.0, 5.0)
        _judge(plant, ticks, f"seed {seed}")


def test_each_tick_has_one_outcome_while_the_disk_below_the_spool_is_full(plant: Plant, disk: Path) -> None:
    """What cannot be started there has failed, and somebody is told."""
    plant.background()
    plant.node("full")
    plant.wait_for_node("full")
    first, ticks = _many_jobs(plant, 10)
    chance = random.Random(seed := new_seed())
    wait_for(first)
    while datetime.now(UTC) < ticks[-1] - timedelta(seconds=5):
        with (disk / "ballast").open("wb", buffering=0) as ballast:
            _fill(ballast)
        pause(chance, 0.5, 3.0)
        (disk / "ballast").unlink()
        pause(chance, 0.5, 3.0)
    _judge(plant, ticks, f"seed {seed}")


def _many_jobs(plant: Plant, count: int = JOBS) -> tuple[datetime, list[datetime]]:
    first = soon(12)
    ticks = ticks_from(first, max(20, round(seconds())))
    for number in range(count):
        plant.job(f"job-{number}", BRIEF, ticks=ticks, schedules=every_second(first))
    return first, ticks


def _judge(plant: Plant, ticks: list[datetime], what: str) -> None:
    last = ticks[-1] + timedelta(milliseconds=1)
    until(
        "an outcome of each",
        lambda: plant.database["runs"].count_documents({"outcome": {"$exists": True}, "tick": {"$lt": last}}) >= plant.owed,
        seconds=180,
    )
    verdict = plant.judge(before=last)
    print(f"\n{what}: {verdict}")  # noqa: T201 - the counts

    assert verdict.faults == []


def _fill(ballast: IO[bytes]) -> None:
    """To the last byte."""
    for size in (1 << 16, 1 << 12, 1):
        try:
            while ballast.write(b"x" * size):
                pass
        except OSError:
            continue
