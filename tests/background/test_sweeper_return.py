"""Runs that were planned before everybody was away, and overdue when they came back."""

from __future__ import annotations

from typing import Any

from coal_mine.domain.run import Origin, Run, RunState
from tests.support.jobs import MINUTE, SECOND, Scene


def after_outage(scene: Scene, *, node_was_there: bool = False, **body: Any) -> Run:
    """As the sweeper leaves it when it has been back for a few seconds, together with a node."""
    run = scene.planned(start_deadline=60, **body)
    if node_was_there:
        scene.node("alpha")
    scene.clock.move(run.start_by + 2 * MINUTE - scene.now)
    scene.sweeper.run_once(scene.now)
    scene.node("alpha", **({"started_at": run.tick - MINUTE} if node_was_there else {}))
    scene.clock.move(4 * SECOND)
    scene.sweeper.run_once(scene.now)
    return scene.get(run)


def test_the_newest_is_caught_up(scene: Scene) -> None:
    soon = (scene.now + 30 * SECOND).isoformat()
    run = after_outage(scene, schedules=[{"at": soon}])

    assert (run.state, run.origin, run.start_by > scene.now, scene.alerts) == (RunState.QUEUED, Origin.CATCH_UP, True, [])


def test_of_several_the_older_ones_are_skipped(scene: Scene) -> None:
    run = after_outage(scene, schedules=[{"every": 60, "from": (scene.now + 30 * SECOND).isoformat()}])

    assert (run.state, run.reason.partition(":")[0], scene.alerts) == (RunState.SKIPPED, "coalesced", [])


def test_one_whose_time_passed_a_moment_before_somebody_was_back_is_caught_up_too(scene: Scene) -> None:
    run = scene.planned(start_deadline=3, schedules=[{"at": (scene.now + 30 * SECOND).isoformat()}])
    scene.clock.move(run.start_by + SECOND - scene.now)
    scene.sweeper.run_once(scene.now)
    scene.node("alpha")
    scene.clock.move(4 * SECOND)
    scene.sweeper.run_once(scene.now)

    assert (scene.get(run).origin, scene.alerts) == (Origin.CATCH_UP, [])


def test_without_catch_up_it_is_missed(scene: Scene) -> None:
    assert after_outage(scene, catch_up="none").state is RunState.MISSED


def test_one_that_is_too_old_is_missed(scene: Scene) -> None:
    assert after_outage(scene, catch_up={"policy": "latest", "within": 60}).state is RunState.MISSED


def test_one_that_a_node_could_have_taken_is_missed(scene: Scene) -> None:
    assert after_outage(scene, node_was_there=True).state is RunState.MISSED


def test_that_the_nodes_came_only_afterwards_is_said(scene: Scene) -> None:
    assert after_outage(scene, catch_up="none").reason == "not started in time: started only afterwards: node alpha"


def test_that_nobody_knows_whether_a_node_had_room_is_said(scene: Scene) -> None:
    run = after_outage(scene, node_was_there=True)

    assert run.reason == "not started in time: nobody was there to see why; alive since: node alpha"


def test_nothing_is_judged_before_nodes_had_time_to_say_that_they_are_back(scene: Scene) -> None:
    run = scene.planned(start_deadline=60)
    scene.clock.move(run.start_by + 2 * MINUTE - scene.now)
    scene.sweeper.run_once(scene.now)

    assert scene.get(run).state is RunState.QUEUED
