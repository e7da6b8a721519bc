"""Which runs a node takes, when, and in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.job import Job
from coal_mine.domain.run import Run, RunState
from coal_mine.services.run_requests import RunRequest
from tests.support.agents import House, Line
from tests.support.jobs import MINUTE, SECOND, Scene

QUEUED, CLAIMED, SKIPPED, DONE, KILLED = RunState.QUEUED, RunState.CLAIMED, RunState.SKIPPED, RunState.DONE, RunState.KILLED
UNDER_WAY = (RunState.CLAIMED, RunState.RUNNING)
LONG = "sleep 600"
DUMMY = {"runner": "dummy", "command": "hello"}


def due(scene: Scene, house: House, **body: Any) -> Run:
    """The run of a new job, after the node was asked to take it."""
    return claimed_next(scene, house, scene.next_run(scene.job(**DUMMY | body)))


def claimed_next(scene: Scene, house: House, run: Run) -> Run:
    house.beat()
    house.claim()
    return scene.get(run)


def test_a_run_is_taken_at_its_tick(scene: Scene, house: House) -> None:
    assert due(scene, house).state is DONE


def test_before_its_tick_it_is_not(scene: Scene, house: House) -> None:
    run = scene.planned(**DUMMY)
    scene.clock.move(run.tick - scene.now - timedelta(milliseconds=1))

    assert claimed_next(scene, house, run).state is QUEUED


def test_a_moment_before_its_tick_it_is_known_so_that_nobody_sleeps_over_it(scene: Scene, house: House) -> None:
    run = scene.planned(**DUMMY)
    scene.clock.move(run.tick - scene.now - SECOND / 4)

    assert house.agent.claimer.run_once(scene.now) == run.tick


def test_nothing_is_taken_before_the_first_heartbeat(scene: Scene, tmp_path: Path) -> None:
    run = scene.next_run(scene.job(**DUMMY))
    house = House(scene, tmp_path / "nodes")
    house.claim()
    house.agent.end()

    assert scene.get(run).state is QUEUED


def test_nothing_is_taken_when_another_machine_has_the_nodes_name(scene: Scene, house: House) -> None:
    scene.clock.move(MINUTE)
    scene.node("alpha", boot="another")

    assert due_after_beat(scene, house).state is QUEUED


def due_after_beat(scene: Scene, house: House) -> Run:
    run = scene.next_run(scene.job(**DUMMY))
    scene.node("alpha", boot="another")
    house.beat()
    house.claim()
    return scene.get(run)


def test_a_run_whose_time_to_be_started_has_passed_is_left_to_be_missed(scene: Scene, house: House) -> None:
    run = scene.planned(**DUMMY)
    scene.clock.move(run.start_by - scene.now)

    assert claimed_next(scene, house, run).state is QUEUED


def test_a_run_of_another_pool_is_not_taken(scene: Scene, house: House) -> None:
    assert due(scene, house, pools=["other"]).state is QUEUED


def test_a_run_as_a_user_whom_the_node_does_not_list_is_not_taken(scene: Scene, house: House) -> None:
    assert due(scene, house, user="nobody").state is QUEUED


def test_a_run_that_may_not_be_taken_keeps_no_other_from_being(scene: Scene, house: House) -> None:
    job = scene.job(**DUMMY, user="nobody")
    other = scene.job(**DUMMY)
    scene.next_run(job)

    assert claimed_next(scene, house, scene.runs_of(other)[0]).state is DONE


def crowd_before_another(scene: Scene, house: House, size: int, **body: Any) -> Run:
    """A run that is due behind many of one job, after the node was asked."""
    run = scene.next_run(scene.job(**DUMMY, start_deadline=3_600, **body))
    scene.store.runs.add([replace(run, id=f"{run.id}.{number}") for number in range(size)])
    scene.clock.move(SECOND)
    (other,) = scene.runs.start(scene.job(**DUMMY).id, RunRequest())
    house.beat()
    house.claim()
    return scene.get(other)


def test_a_crowd_of_a_paused_pool_does_not_hide_the_runs_of_another(scene: Scene, tmp_path: Path) -> None:
    scene.store.nodes.pause_pool("other", paused=True)
    with House(scene, tmp_path / "nodes", pools=("default", "other")) as house:
        assert crowd_before_another(scene, house, 1_000, pools=["other"]).state is DONE


def test_a_crowd_as_somebody_whom_the_node_does_not_list_does_not_hide_other_runs(scene: Scene, house: House) -> None:
    assert crowd_before_another(scene, house, 1_000, user="nobody").state is DONE


def test_a_crowd_that_is_too_large_for_the_node_does_not_hide_other_runs(scene: Scene, tmp_path: Path) -> None:
    with House(scene, tmp_path / "nodes", mem=100.0) as house:
        assert crowd_before_another(scene, house, 5_000, mem=101).state is DONE


def test_in_mode_all_each_node_takes_its_own(scene: Scene, house: House) -> None:
    scene.node("beta")
    run = scene.next_run(scene.job(**DUMMY, mode="all"))
    claimed_next(scene, house, run)

    assert [(each.slot, each.state) for each in scene.store.runs.of_tick(run.job_id, run.tick)] == [("alpha", DONE), ("beta", QUEUED)]


def test_while_the_node_is_drained_it_takes_nothing_and_afterwards_again(scene: Scene, house: House) -> None:
    scene.store.nodes.set_draining("alpha", draining=True)
    run = due(scene, house)
    scene.store.nodes.set_draining("alpha", draining=False)

    assert (run.state, claimed_next(scene, house, run).state) == (QUEUED, DONE)


def test_while_its_pool_is_paused_nothing_of_it_is_taken_and_afterwards_again(scene: Scene, house: House) -> None:
    scene.store.nodes.pause_pool("default", paused=True)
    run = due(scene, house)
    scene.store.nodes.pause_pool("default", paused=False)

    assert (run.state, claimed_next(scene, house, run).state) == (QUEUED, DONE)


def test_while_execution_is_switched_off_nothing_is_taken_and_afterwards_again(scene: Scene, house: House) -> None:
    scene.store.nodes.switch_execution(enabled=False)
    run = due(scene, house)
    scene.store.nodes.switch_execution(enabled=True)

    assert (run.state, claimed_next(scene, house, run).state) == (QUEUED, DONE)


def test_a_paused_pool_does_not_keep_a_run_from_a_node_that_serves_another_of_its_pools(scene: Scene, tmp_path: Path) -> None:
    scene.store.nodes.pause_pool("default", paused=True)
    with House(scene, tmp_path / "nodes", pools=("default", "other")) as house:
        assert due(scene, house, pools=["default", "other"]).state is DONE


def test_a_run_asked_for_by_hand_is_taken_at_once(scene: Scene, house: House) -> None:
    (run,) = scene.runs.start(scene.job(**DUMMY).id, RunRequest())

    assert claimed_next(scene, house, run).state is DONE


def test_a_disabled_job_can_be_run_by_hand(scene: Scene, house: House) -> None:
    (run,) = scene.runs.start(scene.job(**DUMMY, enabled=False).id, RunRequest())

    assert claimed_next(scene, house, run).state is DONE


def test_a_run_of_a_version_that_was_replaced_before_its_tick_is_not_started(scene: Scene, house: House) -> None:
    job = scene.job(**DUMMY)
    run = scene.next_run(job)
    version = scene.store.jobs.get(job.id)
    changed = _changed(version, changed_at=scene.now - SECOND)
    scene.store.jobs.replace(version, changed)  # and the server died before it withdrew what was planned

    house.beat()
    house.claim()

    assert run.id not in [each.id for each in scene.runs_of(job)]


def test_a_run_whose_tick_was_before_the_change_is_started(scene: Scene, house: House) -> None:
    job = scene.job(**DUMMY)
    run = scene.next_run(job)
    version = scene.store.jobs.get(job.id)
    scene.store.jobs.replace(version, _changed(version, changed_at=scene.now))

    assert claimed_next(scene, house, run).state is DONE


def test_a_run_of_a_deleted_job_is_not_started(scene: Scene, house: House) -> None:
    job = scene.job(**DUMMY)
    scene.next_run(job)
    scene.store.jobs.remove(job)  # and the server died before it withdrew what was planned
    house.beat()
    house.claim()

    assert scene.runs_of(job) == []


def _changed(job: Job, *, changed_at: datetime) -> Job:
    return replace(job, version=job.version + 1, changed_at=changed_at)


# Room


def test_no_more_runs_are_taken_than_there_are_slots(scene: Scene, tmp_path: Path) -> None:
    jobs = [scene.job(command=LONG) for _ in range(3)]
    scene.next_run(jobs[0])
    with House(scene, tmp_path / "nodes", slots=2) as house:
        house.claim()

        assert sorted(scene.states_of(job)[0] for job in jobs) == [CLAIMED, CLAIMED, QUEUED]


@pytest.mark.parametrize("what", ["cpus", "mem"])
def test_no_more_runs_are_taken_than_there_is_of_what_they_need(scene: Scene, tmp_path: Path, what: str) -> None:
    jobs = [scene.job(command=LONG, **{what: 3}) for _ in range(2)]
    small = scene.job(command=LONG, **{what: 1})
    scene.next_run(small)
    with House(scene, tmp_path / "nodes", **{what: 4.0}) as house:
        house.claim()

        assert sorted(scene.states_of(job)[0] for job in jobs) == [CLAIMED, QUEUED]
        assert scene.states_of(small)[0] is CLAIMED


def test_the_highest_priority_goes_first(scene: Scene, tmp_path: Path) -> None:
    jobs = [scene.job(command=LONG, priority=priority) for priority in (1, 3, 2)]
    scene.next_run(jobs[0])
    with House(scene, tmp_path / "nodes", slots=1) as house:
        house.claim()

        assert [scene.states_of(job)[0] for job in jobs] == [QUEUED, CLAIMED, QUEUED]


def test_two_nodes_take_each_run_once(scene: Scene, house: House, tmp_path: Path) -> None:
    jobs = [scene.job(**DUMMY) for _ in range(60)]
    scene.next_run(jobs[0])
    with House(scene, tmp_path / "nodes", "beta") as other:
        for _ in range(3):
            house.claim()
            other.claim()
    runs = [scene.runs_of(job)[0] for job in jobs]

    assert {run.state for run in runs} == {DONE}
    assert {run.epoch for run in runs} == {1}


# Lost answers


@pytest.fixture
def line(scene: Scene) -> Line:
    return Line(scene.store)


def test_a_claim_whose_answer_was_lost_is_started_once(scene: Scene, line: Line, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    run = scene.next_run(scene.job(command=f"echo started >> {mark}"))
    with House(scene, tmp_path / "nodes", store=line) as house:
        with line.losing("runs.change"), pytest.raises(StoreUnavailable):
            house.agent.claimer.run_once(scene.now)
        before = house.directories()
        house.claim()
        done = house.ended(run)

    assert before == []
    assert (done.state, done.epoch, mark.read_text()) == (DONE, 1, "started\n")


def test_a_claim_that_did_not_arrive_is_made_when_the_store_is_back(scene: Scene, line: Line, tmp_path: Path) -> None:
    run = scene.next_run(scene.job(**DUMMY))
    with House(scene, tmp_path / "nodes", store=line) as house:
        with line.cut(), pytest.raises(StoreUnavailable):
            house.agent.claimer.run_once(scene.now)
        house.claim()

    assert scene.get(run).state is DONE


def test_a_claim_whose_answer_was_lost_is_not_started_when_it_was_given_up_meanwhile(scene: Scene, line: Line, tmp_path: Path) -> None:
    run = scene.next_run(scene.job(command=LONG))
    with House(scene, tmp_path / "nodes", store=line) as house:
        with line.losing("runs.change"), pytest.raises(StoreUnavailable):
            house.agent.claimer.run_once(scene.now)
        scene.end(scene.get(run), exit_code=1)
        house.claim()

        assert house.directories() == []


def test_a_run_that_cannot_be_prepared_has_failed_and_says_why(scene: Scene, house: House) -> None:
    run = due(scene, house, runner="command", secrets={"PASSWORD": "vault:x"})

    assert (run.state, run.reason) == (RunState.FAILED, "secret PASSWORD cannot be read: this node has no source of secrets")


def test_a_run_without_a_process_has_its_output(scene: Scene, house: House) -> None:
    run = due(scene, house)

    assert scene.runs.output(run.id, limit=100).data == b"hello"
