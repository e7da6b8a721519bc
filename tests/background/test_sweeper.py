"""Runs that nobody started in time, that nobody may start, that nobody told of, or that are long over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from coal_mine.background.sweeper import Sweeper
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.run import Run, RunState
from tests.support.jobs import DAY, HOUR, SECOND, Scene


def overdue(scene: Scene, **body: Any) -> Run:
    """A run whose time to be started has passed, as the sweeper leaves it."""
    run = scene.planned(start_deadline=60, **body)
    scene.clock.move(run.start_by - scene.now)
    scene.sweeper.run_once(scene.now)
    return scene.get(run)


def test_a_run_that_nobody_started_in_time_is_missed_and_told(scene: Scene) -> None:
    run = overdue(scene)

    assert (run.state, scene.alerts) == (RunState.MISSED, ["MISSED"])


def test_a_moment_before_its_deadline_it_waits(scene: Scene) -> None:
    run = scene.planned(start_deadline=60)
    scene.clock.move(run.start_by - scene.now - timedelta(milliseconds=1))
    scene.sweeper.run_once(scene.now)

    assert scene.get(run).state is RunState.QUEUED


@pytest.mark.parametrize(
    ("nodes", "body", "reason"),
    [
        ([], {}, "not started in time: no node serves pool default"),
        ([("alpha", {"pools": ("other",)})], {"pools": ["one", "two"]}, "not started in time: no node serves pools one, two"),
        ([("alpha", {})], {}, "not started in time: not alive: node alpha"),
        ([("alpha", {}), ("beta", {})], {}, "not started in time: not alive: nodes alpha, beta"),
    ],
)
def test_why_it_was_missed_is_said(scene: Scene, nodes: list[tuple[str, dict[str, Any]]], body: dict[str, Any], reason: str) -> None:
    for name, values in nodes:
        scene.node(name, **values)

    assert overdue(scene, **body).reason == reason


def test_that_a_living_node_had_no_room_is_said(scene: Scene) -> None:
    run = scene.planned(start_deadline=60)
    started_at = scene.now
    scene.clock.move(run.start_by - scene.now)
    scene.node("alpha", started_at=started_at)
    scene.sweeper.run_once(scene.now)

    assert scene.get(run).reason == "not started in time: alive, but without room or held up: node alpha"


def test_that_the_only_node_of_its_slot_was_forgotten_is_said(scene: Scene) -> None:
    scene.node("alpha", seen_at=scene.now - HOUR)
    run = scene.planned(mode="all", start_deadline=60)
    scene.store.nodes.remove("alpha")
    scene.clock.move(run.start_by - scene.now)
    scene.sweeper.run_once(scene.now)

    assert scene.get(run).reason == "not started in time: node alpha has gone"


def test_in_mode_all_a_dead_node_misses_its_run(scene: Scene) -> None:
    scene.node("alpha")
    run = overdue(scene, mode="all")

    assert (run.state, run.reason) == (RunState.MISSED, "not started in time: not alive: node alpha")


def skipped_because(scene: Scene, switch: Any) -> Run:
    run = scene.planned(start_deadline=60)
    scene.clock.move(run.start_by - scene.now)
    scene.node("alpha")
    switch()
    scene.sweeper.run_once(scene.now)
    return scene.get(run)


def test_each_of_several_runs_missed_at_once_alerts_when_somebody_wants_that(scene: Scene) -> None:
    scene.node("alpha")
    scene.node("beta")
    scene.next_run(scene.job(mode="all", failure_alerts="every"))
    scene.clock.move(HOUR)
    scene.sweep()

    assert scene.alerts == ["MISSED", "MISSED"]


def test_while_execution_is_switched_off_it_is_skipped(scene: Scene) -> None:
    run = skipped_because(scene, lambda: scene.store.nodes.switch_execution(enabled=False))

    assert (run.state, run.reason, scene.alerts) == (RunState.SKIPPED, "the execution of jobs is switched off", [])


def test_while_its_pool_is_paused_it_is_skipped(scene: Scene) -> None:
    run = skipped_because(scene, lambda: scene.store.nodes.pause_pool("default", paused=True))

    assert (run.state, run.reason, scene.alerts) == (RunState.SKIPPED, "paused: pool default", [])


def test_while_all_its_nodes_are_drained_it_is_skipped(scene: Scene) -> None:
    run = skipped_because(scene, lambda: scene.store.nodes.set_draining("alpha", draining=True))

    assert (run.state, run.reason, scene.alerts) == (RunState.SKIPPED, "draining: node alpha", [])


def test_one_that_waited_for_its_turn_in_vain_is_skipped(scene: Scene) -> None:
    job = scene.job(overlap="queue", start_deadline=60)
    scene.start(scene.next_run(job))
    run = scene.next_run(job)
    scene.clock.move(run.start_by - scene.now)
    scene.node("alpha")
    scene.sweeper.run_once(scene.now)
    found = scene.get(run)

    assert (found.state, found.reason) == (RunState.SKIPPED, "an earlier run is still under way, and its turn did not come in time")


def test_one_whose_attempt_has_failed_and_that_is_not_tried_again_in_time_has_failed(scene: Scene) -> None:
    run = scene.end(scene.next_run(scene.job(retries=1, start_deadline=60)), exit_code=1)
    scene.clock.move(run.start_by - scene.now)
    scene.sweeper.run_once(scene.now)

    assert (scene.get(run).state, scene.alerts) == (RunState.FAILED, ["FAILED"])


def due_as(scene: Scene, user: str, **body: Any) -> Run:
    run = scene.next_run(scene.job(user=user, **body))
    scene.clock.move(SECOND)
    scene.sweeper.run_once(scene.now)
    return scene.get(run)


def test_a_run_that_no_node_may_run_as_its_user_has_failed_as_soon_as_it_is_due(scene: Scene) -> None:
    scene.node("alpha", users=("www", "backup"))
    run = due_as(scene, "oracle")

    assert (run.state, run.reason, scene.alerts) == (RunState.FAILED, "no node may run as oracle", ["FAILED"])


def test_nobody_may_run_as_root_who_does_not_say_so(scene: Scene) -> None:
    scene.node("alpha", users=("*",))

    assert due_as(scene, "root").reason == "no node may run as root"


def test_a_run_waits_while_one_node_may_run_as_its_user(scene: Scene) -> None:
    scene.node("alpha", users=("www",))
    scene.node("beta", users=("oracle",))

    assert due_as(scene, "oracle").state is RunState.QUEUED


INSTANCE = {"runner": "instance", "runner_name": "power"}


def test_a_run_whose_runner_no_node_has_has_failed_as_soon_as_it_is_due(scene: Scene) -> None:
    scene.node("alpha", runners=("hello", "powers"))
    run = due_as(scene, "", **INSTANCE)

    assert (run.state, run.reason, scene.alerts) == (RunState.FAILED, "no node has the runner power", ["FAILED"])


def test_a_run_waits_while_one_node_has_its_runner(scene: Scene) -> None:
    scene.node("alpha")
    scene.node("beta", runners=("power",))

    assert due_as(scene, "", **INSTANCE).state is RunState.QUEUED


def test_a_node_without_the_runner_does_not_count_though_it_may_run_as_the_user(scene: Scene) -> None:
    scene.node("alpha", users=("oracle",))
    scene.node("beta", users=("www",), runners=("power",))

    assert due_as(scene, "oracle", **INSTANCE).reason == "no node that has the runner power may run as oracle"


def test_in_mode_all_a_node_without_the_runner_fails_its_own_run_only(scene: Scene) -> None:
    scene.node("alpha")
    scene.node("beta", runners=("power",))
    job = scene.job(mode="all", **INSTANCE)
    scene.next_run(job)
    scene.sweeper.run_once(scene.clock.move(SECOND))
    ended = [(run.slot, run.reason) for run in scene.runs_of(job) if run.has_ended]

    assert ended == [("alpha", "no node has the runner power")]


def test_after_an_outage_a_run_that_no_node_may_run_has_failed_and_was_not_missed(scene: Scene) -> None:
    scene.node("alpha", users=("www",))
    run = scene.planned(user="oracle")
    scene.clock.move(HOUR)
    scene.sweeper.run_once(scene.now)

    assert scene.get(run).reason == "no node may run as oracle"


def test_a_canary_that_its_teller_did_not_reach_is_told_a_little_later(scene: Scene) -> None:
    run = scene.end(scene.next_run(scene.job()), exit_code=1)
    scene.sweeper.run_once(scene.now)
    before = scene.alerts
    scene.sweeper.run_once(scene.clock.move(4 * SECOND))

    assert (before, scene.alerts, scene.get(run).owed) == ([], ["FAILED"], False)


def test_a_sweeper_that_dies_while_it_tells_is_followed_by_one_that_does(scene: Scene) -> None:
    run = scene.planned(start_deadline=60)
    scene.clock.move(run.start_by - scene.now)
    with pytest.raises(StoreUnavailable):
        Sweeper(scene.store, tell=die, kept=DAY, lost_after=DAY).run_once(scene.now)
    scene.sweeper.run_once(scene.clock.move(4 * SECOND))

    assert scene.alerts == ["MISSED"]


def test_runs_that_ended_long_ago_are_forgotten(scene: Scene) -> None:
    run = scene.end(scene.next_run(scene.job()))
    scene.tell(run)
    scene.clock.move(31 * DAY)
    scene.sweeper.run_once(scene.now)

    assert scene.runs_of(run) == []


def die(runs: Sequence[Run]) -> None:
    if runs:
        raise StoreUnavailable("died")
