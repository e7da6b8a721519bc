"""Which runs a node takes, when, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.job import Job
from coal_mine.domain.run import Run, RunState, postponed
from coal_mine.services.run_requests import RunRequest
from tests.support.agents import House, Line
from tests.support.jobs import MINUTE, SECOND, Scene, scene_in

QUEUED, CLAIMED, SKIPPED, DONE, KILLED = RunState.QUEUED, RunState.CLAIMED, RunState.SKIPPED, RunState.DONE, RunState.KILLED
UNDER_WAY = (RunState.CLAIMED, RunState.RUNNING)
LONG = "sleep 600"
DUMMY = {"runner": "dummy", "command": "hello"}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path) as one:
        yield one


@pytest.fixture
def house(scene: Scene, tmp_path: Path) -> Iterator[House]:
    with House(scene, tmp_path / "nodes") as one:
        yield one


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
    scene.store.jobs.remove(job.id)  # and the server died before it withdrew what was planned
    house.beat()
    house.claim()

    assert scene.runs_of(job) == []


def _changed(job: Job, *, changed_at: datetime) -> Job:
    return replace(job, version=job.version + 1, changed_at=changed_at)


# Overlaps


def second(scene: Scene, house: House, **body: Any) -> tuple[Run, Run]:
    """The runs of two ticks of a job whose first run takes long."""
    job = scene.job(command=LONG, **body)
    first = claimed_next(scene, house, scene.next_run(job))
    run = claimed_next(scene, house, scene.next_run(job))
    return scene.get(first), run


def test_a_tick_that_finds_an_earlier_run_under_way_is_skipped_by_default(scene: Scene, house: House) -> None:
    first, run = second(scene, house)

    assert (run.state, run.reason) == (SKIPPED, f"an earlier run is still under way: {first.id}")


def test_a_run_asked_for_by_hand_obeys_that_too(scene: Scene, house: House) -> None:
    job = scene.job(command=LONG)
    claimed_next(scene, house, scene.next_run(job))
    (run,) = scene.runs.start(job.id, RunRequest())

    assert claimed_next(scene, house, run).state is SKIPPED


def test_unless_it_is_forced(scene: Scene, house: House) -> None:
    job = scene.job(command=LONG)
    claimed_next(scene, house, scene.next_run(job))
    (run,) = scene.runs.start(job.id, RunRequest(force=True))

    assert claimed_next(scene, house, run).state is CLAIMED


def test_with_allow_any_number_may_be_under_way(scene: Scene, house: House) -> None:
    first, run = second(scene, house, overlap="allow")

    assert (first.state in UNDER_WAY, run.state) == (True, CLAIMED)


def test_with_a_limit_so_many_may_be_under_way_and_no_more(scene: Scene, house: House) -> None:
    job = scene.job(command=LONG, overlap={"policy": "allow", "limit": 2})
    states = [claimed_next(scene, house, scene.next_run(job)).state for _ in range(3)]

    assert states == [CLAIMED, CLAIMED, SKIPPED]


def test_in_mode_all_the_run_of_another_node_is_in_nobodys_way(scene: Scene, house: House) -> None:
    scene.node("beta")
    job = scene.job(command="true", mode="all")
    scene.next_run(job)
    mine, others = scene.runs_of(job)
    scene.start(others, "beta")

    assert claimed_next(scene, house, mine).state is CLAIMED


def test_in_mode_all_a_run_replaces_only_that_of_its_own_node(scene: Scene, house: House) -> None:
    scene.node("beta")
    job = scene.job(command=LONG, mode="all", overlap="replace")
    scene.next_run(job)
    mine, others = scene.runs_of(job)
    scene.start(others, "beta")
    claimed_next(scene, house, mine)
    tick = scene.next_run(job).tick
    again = next(run for run in scene.runs_of(job) if run.tick == tick and run.slot == "alpha")
    claimed_next(scene, house, again)

    assert (scene.get(mine).orders, scene.get(others).orders) == (("kill",), ())


def test_with_queue_one_a_run_waits_for_its_turn(scene: Scene, house: House) -> None:
    first, run = second(scene, house, overlap="queue_one")
    scene.runs.kill(first.id)
    house.report()
    house.ended(first)

    assert run.state is QUEUED
    assert claimed_next(scene, house, run).state is CLAIMED


def test_with_queue_one_a_second_one_does_not_wait(scene: Scene, house: House) -> None:
    job = scene.job(command=LONG, overlap="queue_one", start_deadline=3_600)
    runs = [claimed_next(scene, house, scene.next_run(job)) for _ in range(3)]

    assert [run.state for run in runs] == [CLAIMED, QUEUED, SKIPPED]
    assert runs[2].reason == "an earlier run is still under way, and 1 are waiting already"


def test_waiting_runs_start_in_the_order_of_their_ticks(scene: Scene, house: House) -> None:
    job = scene.job(command=LONG, overlap="queue", start_deadline=3_600)
    runs = [claimed_next(scene, house, scene.next_run(job)) for _ in range(4)]
    started = []
    for run in runs:
        house.claim()
        started.append([scene.get(each).state in UNDER_WAY for each in runs].index(True))
        scene.runs.kill(run.id)
        scene.clock.move(SECOND)
        house.ended(run)
        scene.clock.move(2 * SECOND)

    assert started == [0, 1, 2, 3]


def test_a_younger_one_that_is_asked_for_first_does_not_overtake(scene: Scene, house: House) -> None:
    job = scene.job(command=LONG, overlap="queue", start_deadline=3_600)
    first, elder, younger = (claimed_next(scene, house, scene.next_run(job)) for _ in range(3))
    scene.write(postponed(scene.get(elder), scene.now + 30 * SECOND))
    scene.write(postponed(scene.get(younger), scene.now))
    scene.end(scene.get(first))
    house.claim()

    assert scene.get(younger).state is QUEUED


def test_replace_kills_the_earlier_run_and_starts_when_it_is_gone(scene: Scene, house: House) -> None:
    first, run = second(scene, house, overlap="replace")
    before = run.state
    ended = house.ended(first)
    house.claim()

    assert (before, ended.state, scene.get(run).state) == (QUEUED, KILLED, CLAIMED)


def test_of_several_that_wait_to_replace_only_the_newest_does(scene: Scene, house: House) -> None:
    job = scene.job(command=LONG, overlap="replace", start_deadline=3_600)
    first = claimed_next(scene, house, scene.next_run(job))
    second = claimed_next(scene, house, scene.next_run(job))
    third = claimed_next(scene, house, scene.next_run(job))
    scene.clock.move(SECOND)
    house.claim()

    assert [scene.get(run).state for run in (first, second, third)] == [CLAIMED, SKIPPED, QUEUED]


def test_all_ticks_of_an_outage_run_one_at_a_time_in_their_order(scene: Scene, house: House) -> None:
    job = scene.job(command=LONG, overlap="allow", catch_up="all")
    scene.clock.move(timedelta(minutes=4))
    scene.plan()
    house.beat()
    house.claim()

    assert [run.state for run in scene.runs_of(job)][:4] == [CLAIMED, QUEUED, QUEUED, QUEUED]


def test_a_run_that_waits_for_its_next_attempt_keeps_its_lock(scene: Scene, house: House) -> None:
    job = scene.job(command="false", retries={"max": 1, "wait": 300})
    first = claimed_next(scene, house, scene.next_run(job))
    house.until("its next attempt", lambda: scene.get(first).state is RunState.RETRYING)
    run = claimed_next(scene, house, scene.next_run(job))

    assert run.state is SKIPPED


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
