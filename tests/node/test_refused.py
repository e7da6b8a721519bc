"""A run for which no supervisor could be had comes to an end, too, and keeps no node from starting."""

from __future__ import annotations

import os
import resource
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from coal_mine.domain.run import Run, RunState, abandoned
from coal_mine.node.processes.identity import boot_id
from coal_mine.node.processes.tree import Kernel
from coal_mine.node.spool.directory import RunDirectory
from coal_mine.node.supervisor.person import Person
from coal_mine.node.supervisor.supervising import refuse
from coal_mine.node.supervisor.surroundings import Surroundings
from tests.support.agents import House
from tests.support.jobs import SECOND, Scene

_WHY = "fork: Resource temporarily unavailable"


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forker goes from run to run; the tests come back."""
    monkeypatch.chdir(tmp_path)


def waiting(scene: Scene, house: House) -> tuple[Run, RunDirectory]:
    """A run that is claimed and has no supervisor."""
    run = scene.next_run(scene.job(command="true", on_lost="rerun"))
    house.beat()
    os.kill(house.forker_pid, signal.SIGSTOP)
    house.claim()
    (directory,) = house.directories()
    return run, directory


def refused(directory: RunDirectory, *, room: bool) -> None:
    """As the forker does it, on a disk that may be full."""
    spool = directory.path.parents[1]
    with ExitStack() as stack:
        opened = [os.open(spool, os.O_RDONLY), os.open(spool / "bell", os.O_RDWR | os.O_NONBLOCK)]
        for each in opened:
            stack.callback(os.close, each)
        if not room:
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
            stack.callback(resource.setrlimit, resource.RLIMIT_FSIZE, (soft, hard))
        around = Surroundings(
            kernel=Kernel(), boot_id=boot_id(), spool=opened[0], bell=opened[1], groups=None, person=Person.of_this_process()
        )
        refuse(directory.name, _WHY, around)


def test_a_run_without_a_supervisor_says_why(scene: Scene, house: House) -> None:
    run, directory = waiting(scene, house)
    refused(directory, room=True)

    assert _WHY in house.ended(run).reason


def test_it_ends_although_the_disk_had_no_room_for_that(scene: Scene, house: House) -> None:
    run, directory = waiting(scene, house)
    refused(directory, room=False)
    found = house.ended(run)

    assert (found.state, found.reason.partition(" (")[0]) == (RunState.FAILED, "its supervisor ended without a result")
    assert house.directories() == []


def test_a_run_ends_whose_supervisor_cannot_be_read(scene: Scene, house: House) -> None:
    run, directory = waiting(scene, house)
    (directory.path / "supervisor").symlink_to("-")
    scene.clock.move(SECOND)

    assert house.ended(run).reason.startswith("its supervisor ended without a result")


def test_such_a_run_keeps_no_node_from_starting_when_it_has_passed_to_somebody_else(scene: Scene, house: House) -> None:
    run, directory = waiting(scene, house)
    (directory.path / "supervisor").symlink_to("-")
    scene.start(scene.write(abandoned(scene.get(run), "silent", scene.now)), "beta")
    house.restart()
    other = scene.next_run(scene.job(command="true"))
    house.claim()

    assert house.ended(other).state is RunState.DONE
