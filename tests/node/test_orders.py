"""Kills and signals on their way to a run, also those that come too late for an attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coal_mine.domain.errors import Conflict
from coal_mine.domain.run import Run, RunState
from coal_mine.services.runs import MAX_ORDERS
from tests.support.agents import House, output_of
from tests.support.jobs import SECOND, Scene
from tests.support.waiting import until

KILLED, RETRYING, DONE = RunState.KILLED, RunState.RETRYING, RunState.DONE
TWICE = {"max": 1, "wait": 10}
NOT_HEARD = "trap '' USR1; echo ready; sleep 600"


class Gate:
    """What the first attempt waits for before it fails; the second one ends well unless a signal hits it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "open"
        self.command = f"[ $JOB_ATTEMPT = 1 ] || exit 0; while [ ! -e {self._path} ]; do sleep 0.02; done; exit 1"

    def open(self, house: House) -> None:
        """The attempt ends, and the store does not know it yet."""
        self._path.touch()
        until("the end of the attempt", lambda: house.directories()[0].result())


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def running(scene: Scene, house: House, command: str, **body: Any) -> Run:
    run = scene.next_run(scene.job(command=command, **body))
    house.beat()
    house.claim()
    return house.running(run)


def test_a_kill_that_comes_when_an_attempt_has_failed_by_itself_lets_no_other_begin(scene: Scene, house: House, gate: Gate) -> None:
    run = running(scene, house, gate.command, retries=TWICE)
    gate.open(house)
    scene.runs.kill(run.id)
    scene.clock.move(SECOND)
    found = house.ended(run)

    assert (found.state, found.attempt) == (KILLED, 1)


def test_a_kill_that_comes_when_a_run_has_ended_well_changes_nothing(scene: Scene, house: House, gate: Gate) -> None:
    run = running(scene, house, gate.command.replace("exit 1", "exit 0"))
    gate.open(house)
    scene.runs.kill(run.id)
    scene.clock.move(SECOND)

    assert house.ended(run).state is DONE


def test_a_kill_that_no_attempt_has_heard_keeps_the_next_one_from_being_started(scene: Scene, house: House, gate: Gate) -> None:
    run = running(scene, house, gate.command, retries=TWICE)
    gate.open(house)
    scene.runs.kill(run.id)
    house.until("that the attempt is told", lambda: scene.get(run).state is RETRYING)
    scene.clock.move(15 * SECOND)
    house.beat()
    house.claim()

    assert (scene.get(run).state, scene.get(run).attempt) == (KILLED, 1)


def test_a_signal_that_an_attempt_has_not_lived_to_hear_does_not_reach_the_next_one(scene: Scene, house: House, gate: Gate) -> None:
    run = running(scene, house, gate.command, retries=TWICE)
    gate.open(house)
    scene.runs.signal(run.id, "USR1")
    house.until("that the attempt is told", lambda: scene.get(run).state is RETRYING)
    scene.clock.move(15 * SECOND)
    house.beat()
    house.claim()

    assert scene.get(run).orders == ()
    assert house.ended(run).state is DONE


def test_a_kill_does_not_wait_behind_signals(scene: Scene, house: House) -> None:
    run = running(scene, house, NOT_HEARD)
    house.until("that it listens", lambda: output_of(scene.store, run))
    for _ in range(MAX_ORDERS):
        scene.runs.signal(run.id, "USR1")
    scene.runs.kill(run.id)
    scene.clock.move(SECOND)
    found = house.ended(run)

    assert (found.state, found.orders) == (KILLED, ())


def test_more_signals_than_a_node_can_have_overlooked_are_refused(scene: Scene, house: House) -> None:
    run = running(scene, house, NOT_HEARD)
    for _ in range(MAX_ORDERS):
        scene.runs.signal(run.id, "USR1")

    with pytest.raises(Conflict, match="20 signals that its node has not taken yet"):
        scene.runs.signal(run.id, "USR1")


def test_a_run_is_ordered_to_be_killed_once_however_often_it_is_asked_for(scene: Scene, house: House) -> None:
    run = running(scene, house, NOT_HEARD)
    scene.runs.kill(run.id)

    assert scene.runs.kill(run.id).orders == ("kill",)
