"""A node that is started again finds what its earlier life has left: nothing is killed, doubled or lost."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coal_mine.domain.errors import Conflict, StoreUnavailable
from coal_mine.domain.run import Run, RunChange, RunState, abandoned, claimed
from tests.support.agents import House, Line, output_of
from tests.support.jobs import HOUR, MINUTE, SECOND, Scene
from tests.support.waiting import until

DONE, QUEUED, CLAIMED, RUNNING, LOST = RunState.DONE, RunState.QUEUED, RunState.CLAIMED, RunState.RUNNING, RunState.LOST


class Gate:
    """What a command waits for, and what it leaves behind."""

    def __init__(self, directory: Path) -> None:
        self._open = directory / "open"
        self.mark = directory / "mark"
        self.waiting = f"while [ ! -e {self._open} ]; do sleep 0.02; done"
        self.command = f"echo begun >> {self.mark}; echo before; {self.waiting}; echo after"

    def open(self) -> None:
        self._open.touch()

    def wait_for_begin(self) -> None:
        until("the begin of a command", lambda: self.mark.exists() and self.mark.read_text())


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def begun(scene: Scene, house: House, gate: Gate, **body: Any) -> Run:
    """A run under way, of which the store knows that."""
    run = scene.next_run(scene.job(command=gate.command, **body))
    house.beat()
    house.claim()
    gate.wait_for_begin()
    return house.running(run)


def test_a_run_goes_on_while_the_agent_is_started_again_and_its_end_is_told(scene: Scene, house: House, gate: Gate) -> None:
    run = begun(scene, house, gate)
    house.restart()
    gate.open()
    found = house.ended(run)

    assert (found.state, found.epoch, gate.mark.read_text()) == (DONE, 1, "begun\n")


def test_its_output_is_whole(scene: Scene, house: House, gate: Gate) -> None:
    run = begun(scene, house, gate)
    house.until("the first line", lambda: output_of(scene.store, run))
    house.restart()
    gate.open()
    house.ended(run)

    assert output_of(scene.store, run) == b"before\nafter\n"


def test_its_output_is_whole_when_it_was_not_stored_before(scene: Scene, house: House, gate: Gate) -> None:
    run = scene.next_run(scene.job(command=gate.command))
    house.beat()
    house.claim()
    gate.wait_for_begin()
    house.restart()
    gate.open()
    house.ended(run)

    assert output_of(scene.store, run) == b"before\nafter\n"


def test_a_run_that_ended_while_no_agent_lived_is_told(scene: Scene, house: House, gate: Gate) -> None:
    run = begun(scene, house, gate)
    house.restart(beats=False)
    gate.open()
    until("the end of the command", lambda: house.directories()[0].result())
    scene.clock.move(HOUR)
    house.beat()

    assert house.ended(run).state is DONE
    assert scene.history_of(run)[0].text.startswith("Triggered")


def test_it_counts_although_the_node_was_taken_for_dead(scene: Scene, house: House, gate: Gate) -> None:
    run = begun(scene, house, gate)
    scene.tell(scene.write(abandoned(run, "silent", scene.clock.move(MINUTE))))
    house.restart()
    house.until("that it is alive", lambda: scene.get(run).state is RUNNING)
    gate.open()
    scene.clock.move(SECOND)

    assert (house.ended(run).state, scene.alerts) == (DONE, ["LOST", "RESUMED"])


def test_the_next_tick_finds_it_under_way(scene: Scene, house: House, gate: Gate) -> None:
    run = begun(scene, house, gate)
    house.restart()
    following = scene.next_run(run)
    house.beat()
    house.claim()

    assert scene.get(following).state is RunState.SKIPPED


def test_a_run_that_was_taken_and_never_started_is_given_back_and_started(scene: Scene, house: House, gate: Gate) -> None:
    run = scene.next_run(scene.job(command=gate.command))
    scene.write(_claimed_by(house, run))  # and the agent died before it made a directory
    house.restart()
    given_back = scene.get(run)
    house.claim()
    gate.open()

    assert given_back.state is QUEUED
    assert (house.ended(run).state, gate.mark.read_text()) == (DONE, "begun\n")


def test_a_run_whose_directory_was_made_and_that_was_not_forked_is_started(scene: Scene, house: House, gate: Gate) -> None:
    run = scene.next_run(scene.job(command=gate.command))
    house.beat()
    os.kill(house.forker_pid, signal.SIGSTOP)  # it dies with its orders
    house.claim()
    had_begun = gate.mark.exists()
    house.restart()
    scene.clock.move(6 * SECOND)
    gate.open()

    assert not had_begun
    assert (house.ended(run).state, gate.mark.read_text()) == (DONE, "begun\n")


def test_a_claim_of_which_nobody_knows_is_given_back_without_a_restart(scene: Scene, house: House) -> None:
    run = scene.next_run(scene.job(start_deadline=3_600))
    house.beat()
    house.claim()
    house.ended(run)
    again = scene.next_run(run)
    scene.write(_claimed_by(house, again))
    scene.clock.move(31 * SECOND)
    house.claim()

    assert scene.get(again).epoch == 2


def test_a_young_claim_is_not_given_back(scene: Scene, house: House) -> None:
    run = scene.next_run(scene.job())
    scene.write(_claimed_by(house, run))
    scene.clock.move(10 * SECOND)
    house.claim()

    assert scene.get(run).state is CLAIMED


def test_runs_of_a_machine_that_was_restarted_are_lost(scene: Scene, house: House) -> None:
    run = scene.next_run(scene.job())
    change = _claimed_by(house, run)
    scene.write(replace(change, after=replace(change.after, boot="an earlier one")))
    house.restart()

    assert (scene.get(run).state, scene.get(run).reason) == (LOST, "its node was restarted")
    assert scene.alerts == ["LOST"]


def test_those_that_may_be_run_again_are(scene: Scene, house: House) -> None:
    run = scene.next_run(scene.job(on_lost="rerun"))
    change = _claimed_by(house, run)
    scene.write(replace(change, after=replace(change.after, boot="an earlier one")))
    house.restart()
    house.claim()

    assert (house.ended(run).state, scene.alerts) == (DONE, [])


def test_a_node_on_a_new_spool_has_lost_its_runs(scene: Scene, tmp_path: Path, gate: Gate) -> None:
    with House(scene, tmp_path / "old") as house:
        run = begun(scene, house, gate)
        gate.open()
    scene.clock.move(MINUTE)
    with House(scene, tmp_path / "new"):
        assert scene.get(run).state is LOST


def test_a_node_that_was_given_another_name_goes_on_with_its_runs(scene: Scene, house: House, gate: Gate) -> None:
    run = begun(scene, house, gate)
    house.name = "renamed"
    house.restart()
    gate.open()
    found = house.ended(run)

    assert (found.state, found.node, gate.mark.read_text()) == (DONE, "renamed", "begun\n")


def test_it_does_so_when_its_spool_is_named_after_it(scene: Scene, house: House, gate: Gate) -> None:
    run = begun(scene, house, gate)
    house.restart_as("renamed")
    gate.open()
    found = house.ended(run)

    assert (found.state, found.node, gate.mark.read_text()) == (DONE, "renamed", "begun\n")
    assert output_of(scene.store, run) == b"before\nafter\n"


def test_it_goes_on_to_start_runs_there(scene: Scene, house: House, gate: Gate) -> None:
    begun(scene, house, gate)
    house.restart_as("renamed")
    other = scene.next_run(scene.job())
    house.beat()
    house.claim()

    assert (house.ended(other).state, house.ended(other).node) == (DONE, "renamed")


def test_a_second_node_of_a_machine_leaves_the_spool_of_the_first_alone(scene: Scene, house: House, gate: Gate, tmp_path: Path) -> None:
    run = begun(scene, house, gate)
    with House(scene, tmp_path / "nodes", "beta"):
        gate.open()

        assert house.ended(run).node == "alpha"


def test_orders_reach_the_runs_of_a_node_that_was_given_another_name(scene: Scene, house: House, gate: Gate) -> None:
    run = begun(scene, house, gate)
    house.name = "renamed"
    house.restart()
    scene.runs.kill(run.id)
    scene.clock.move(SECOND)

    assert house.ended(run).state is RunState.KILLED


def test_a_run_that_has_passed_to_somebody_else_is_killed_and_not_told(scene: Scene, house: House, gate: Gate) -> None:
    run = begun(scene, house, gate, on_lost="rerun")
    again = scene.start(scene.write(abandoned(run, "silent", scene.now)), "beta")
    house.restart()
    house.until("the end of the old one", lambda: not house.directories())

    assert scene.get(run) == again


def test_an_agent_that_was_not_restarted_learns_it_from_a_refused_write(scene: Scene, house: House, gate: Gate) -> None:
    run = begun(scene, house, gate, on_lost="rerun")
    again = scene.start(scene.write(abandoned(run, "silent", scene.now)), "beta")
    gate.open()
    house.until("the end of the old one", lambda: not house.directories())

    assert scene.get(run) == again


def test_the_output_of_the_second_node_is_not_mixed_with_that_of_the_first(scene: Scene, house: House, gate: Gate, tmp_path: Path) -> None:
    run = begun(scene, house, gate, on_lost="rerun")
    house.until("the first line", lambda: output_of(scene.store, run))
    scene.write(abandoned(run, "silent", scene.now))
    with House(scene, tmp_path / "nodes", "beta") as other:
        other.claim()
        gate.open()
        other.ended(run)

    assert output_of(scene.store, run, attempt=2) == b"before\nafter\n"


def test_a_directory_without_a_readable_order_does_not_keep_the_node_from_starting(scene: Scene, house: House) -> None:
    broken = house.directories()
    path = house._directory / "runs" / "broken"
    path.mkdir()
    (path / "spec.json").write_text("")
    house.restart()
    run = scene.next_run(scene.job())
    house.beat()
    house.claim()

    assert (broken, path.exists(), house.ended(run).state) == ([], False, DONE)


def test_nothing_is_taken_before_the_earlier_runs_are_found(scene: Scene, tmp_path: Path) -> None:
    line = Line(scene.store)
    with House(scene, tmp_path / "nodes", store=line) as house:
        run = scene.next_run(scene.job())
        house.restart(beats=False)
        with line.losing("runs.live_on"), pytest.raises(StoreUnavailable):
            house.beat()
        house.claim()
        before = scene.get(run).state
        house.beat()
        house.claim()

        assert (before, house.ended(run).state) == (QUEUED, DONE)


def test_a_second_agent_on_one_spool_is_refused(scene: Scene, house: House) -> None:
    with pytest.raises(Conflict, match="belongs to another node"):
        House(scene, house._directory.parent, house.name)


def _claimed_by(house: House, run: Run) -> RunChange:
    node = house.scene.store.nodes.get(house.name)
    return claimed(run, node=node.name, boot=node.boot, nonce="n", lock="", now=house.scene.now)
