"""Runs of ticks that passed while nobody was there, where all are to be caught up with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from coal_mine.domain.job import Job
from coal_mine.domain.run import RunState
from tests.support.agents import House
from tests.support.jobs import SECOND, Scene, scene_in
from tests.support.scenes import scene_on

EVERY_TEN_SECONDS = [{"cron": "*/10 * * * * *"}]


@pytest.fixture(params=["sqlite", "mongo"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path) if request.param == "sqlite" else scene_on(request.getfixturevalue("mongod")) as one:
        yield one


def planned_job(scene: Scene) -> Job:
    job = scene.job(runner="dummy", schedules=EVERY_TEN_SECONDS, start_deadline=3, catch_up="all")
    scene.plan()
    return job


def order_of_starts(scene: Scene, house: House, job: Job, *, step: timedelta) -> list[datetime]:
    """Ticks, as all parts of a server come back and work for a minute."""
    sweeper = scene.new_sweeper()
    started: list[datetime] = []
    end = scene.now + 60 * SECOND
    while scene.now < end:
        house.beat()
        scene.plan()
        sweeper.run_once(scene.now)
        house.agent.claimer.run_once(scene.now)
        started += [run.tick for run in scene.runs_of(job) if run.state is RunState.DONE and run.tick not in started]
        scene.clock.move(step)
    return started


def missed_ticks(scene: Scene, job: Job, length: timedelta) -> list[datetime]:
    first = scene.runs_of(job)[0].tick
    return [first + 10 * number * SECOND for number in range(20) if first + 10 * number * SECOND <= scene.now + length]


@pytest.mark.parametrize(
    "length",
    [timedelta(seconds=21.5), timedelta(seconds=25), timedelta(seconds=104)],
    ids=["the last of them may still start", "all were planned ahead", "only some were planned ahead"],
)
def test_all_that_was_missed_runs_in_the_order_of_its_ticks(scene: Scene, tmp_path: Path, length: timedelta) -> None:
    job = planned_job(scene)
    missed = missed_ticks(scene, job, length)
    scene.clock.move(length)
    with House(scene, tmp_path / "nodes") as house:
        started = order_of_starts(scene, house, job, step=SECOND / 2)

    assert [tick for tick in started if tick in missed] == missed


def test_all_that_was_missed_has_the_same_time_to_run(scene: Scene, tmp_path: Path) -> None:
    job = planned_job(scene)
    missed = missed_ticks(scene, job, 104 * SECOND)
    scene.clock.move(104 * SECOND)
    sweeper = scene.new_sweeper()
    with House(scene, tmp_path / "nodes"):
        scene.plan()
        sweeper.run_once(scene.now)
        sweeper.run_once(scene.clock.move(4 * SECOND))
    left = [run.start_by - scene.now for run in scene.runs_of(job) if run.tick in missed]

    assert len(left) == len(missed)
    assert min(left) > timedelta(minutes=59)


def test_without_any_background_what_was_planned_afterwards_waits_only_a_moment_for_what_was_planned_before(
    scene: Scene, tmp_path: Path
) -> None:
    job = planned_job(scene)
    scene.clock.move(104 * SECOND)
    with House(scene, tmp_path / "nodes") as house:
        scene.plan()
        house.claim()
        first = scene.states_of(job).count(RunState.DONE)
        scene.clock.move(11 * SECOND)
        house.beat()
        house.claim()

    assert (first, RunState.DONE in scene.states_of(job)) == (0, True)


def test_a_run_that_waits_for_another_node_is_in_nobodys_way(scene: Scene, tmp_path: Path) -> None:
    scene.node("beta")
    job = scene.job(runner="dummy", mode="all", schedules=EVERY_TEN_SECONDS, start_deadline=3, catch_up="all")
    scene.clock.move(104 * SECOND)
    with House(scene, tmp_path / "nodes") as house:
        scene.plan()
        for _ in range(2):
            house.claim()
            scene.clock.move(2 * SECOND)
        states = [run.state for run in scene.runs_of(job) if run.slot == "alpha"]

    assert states[:2] == [RunState.DONE, RunState.DONE]
