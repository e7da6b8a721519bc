"""What becomes of a run that finds an earlier one of its job under way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from coal_mine.domain.run import Run, RunState, postponed
from coal_mine.services.run_requests import RunRequest
from tests.support.agents import House
from tests.support.jobs import SECOND, Scene

QUEUED, CLAIMED, SKIPPED, DONE, KILLED = RunState.QUEUED, RunState.CLAIMED, RunState.SKIPPED, RunState.DONE, RunState.KILLED
UNDER_WAY = (RunState.CLAIMED, RunState.RUNNING)
LONG = "sleep 600"
DUMMY = {"runner": "dummy", "command": "hello"}


def claimed_next(scene: Scene, house: House, run: Run) -> Run:
    house.beat()
    house.claim()
    return scene.get(run)


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

    assert (scene.get(mine).orders, scene.get(others).orders) == ((f"kill replaced by run {again.id}",), ())


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
    assert (ended.reason, scene.get(run).reason) == (f"replaced by run {run.id}", "")


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
