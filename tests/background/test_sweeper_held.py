"""Runs that operators have kept from being started until it was too late."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coal_mine.domain.run import Run, RunState
from tests.support.jobs import MINUTE, SECOND, Scene

Switch = Callable[[Scene, bool], object]

SWITCHES: dict[str, Switch] = {
    "execution": lambda scene, held: scene.store.nodes.switch_execution(enabled=not held),
    "pool": lambda scene, held: scene.store.nodes.pause_pool("default", paused=held),
    "node": lambda scene, held: scene.store.nodes.set_draining("alpha", draining=held),
}
each_switch = pytest.mark.parametrize("switch", SWITCHES.values(), ids=SWITCHES)
REASONS = {
    "execution": "the execution of jobs was switched off until {}",
    "pool": "paused until {}: pool default",
    "node": "draining until {}: node alpha",
}


def sweep(scene: Scene) -> None:
    scene.node("alpha", started_at=scene.now - 5 * MINUTE)
    scene.sweeper.run_once(scene.now)


def let_go_too_late(scene: Scene, switch: Switch) -> Run:
    """A run that was held until half a second before its start deadline, as the sweeper leaves it."""
    run = scene.planned(start_deadline=3)
    scene.clock.move(run.tick - scene.now)
    scene.node("alpha")
    switch(scene, True)
    sweep(scene)
    scene.clock.move(SECOND * 2.5)
    switch(scene, False)
    sweep(scene)
    scene.clock.move(SECOND / 2)
    sweep(scene)
    return scene.get(run)


@each_switch
def test_a_run_that_was_let_go_just_before_its_deadline_is_skipped_and_alerts_nobody(scene: Scene, switch: Switch) -> None:
    run = let_go_too_late(scene, switch)

    assert (run.state, scene.alerts) == (RunState.SKIPPED, [])


@pytest.mark.parametrize("kind", SWITCHES)
def test_until_when_it_was_held_is_said(scene: Scene, kind: str) -> None:
    run = let_go_too_late(scene, SWITCHES[kind])

    assert run.reason == REASONS[kind].format("2026-11-22T12:01:02.500Z")


@each_switch
def test_a_run_that_became_due_after_all_was_let_go_is_missed(scene: Scene, switch: Switch) -> None:
    scene.node("alpha")
    switch(scene, True)
    sweep(scene)
    switch(scene, False)
    run = scene.planned(start_deadline=3)
    sweep(scene)
    scene.clock.move(run.start_by - scene.now - SECOND)
    sweep(scene)
    scene.clock.move(SECOND)
    sweep(scene)

    assert (scene.get(run).state, scene.alerts) == (RunState.MISSED, ["MISSED"])


def test_one_of_two_pools_that_were_paused_one_after_the_other_could_always_run(scene: Scene) -> None:
    run = scene.planned(pools=["one", "two"], start_deadline=60)
    scene.clock.move(run.tick - scene.now)
    for pool in run.pools:
        scene.store.nodes.pause_pool(pool, paused=True)
        sweep(scene)
        scene.clock.move(SECOND)
        scene.store.nodes.pause_pool(pool, paused=False)
        sweep(scene)
    scene.clock.move(run.start_by - scene.now)
    sweep(scene)

    assert scene.get(run).state is RunState.MISSED
