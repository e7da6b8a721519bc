"""Runs that are asked for on a certain node, or at this moment only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coal_mine.domain.errors import Conflict, NotFound, NotNow
from coal_mine.domain.run import Run, RunState
from coal_mine.services.run_requests import RunRequest
from tests.support.jobs import DAY, HOUR, Scene

NOW_ONLY = RunRequest(waits=False)


def asked(scene: Scene, request: RunRequest, **body: Any) -> list[Run]:
    return list(scene.runs.start(scene.job(schedules=[], **body).id, request))


def test_a_run_for_one_node_has_its_slot_and_its_pools(scene: Scene) -> None:
    scene.node("alpha", pools=("web", "db"))
    (run,) = asked(scene, RunRequest(node="alpha"))

    assert (run.slot, run.pools) == ("alpha", ("web", "db"))


def test_in_mode_all_a_run_for_one_node_is_the_only_one(scene: Scene) -> None:
    scene.node("alpha")
    scene.node("beta")

    assert [run.slot for run in asked(scene, RunRequest(node="beta"), mode="all")] == ["beta"]


def test_no_other_node_finds_a_run_for_one_node(scene: Scene) -> None:
    nodes = [scene.node("alpha"), scene.node("beta")]
    asked(scene, RunRequest(node="beta"))

    assert [len(scene.store.runs.due(scene.now, node=node, limit=10)) for node in nodes] == [0, 1]


def test_a_run_for_a_node_that_nobody_knows_is_refused(scene: Scene) -> None:
    with pytest.raises(NotFound, match="there is no node named 'moon'"):
        asked(scene, RunRequest(node="moon"))


def test_a_key_that_was_used_for_another_node_is_refused(scene: Scene) -> None:
    scene.node("alpha")
    scene.node("beta")
    job = scene.job(schedules=[])
    scene.runs.start(job.id, RunRequest(node="alpha", key="k"))

    with pytest.raises(Conflict, match="was used before, not for node beta"):
        scene.runs.start(job.id, RunRequest(node="beta", key="k"))


def test_with_a_key_a_run_for_one_node_is_found_again(scene: Scene) -> None:
    scene.node("alpha")
    job = scene.job(schedules=[])
    first = scene.runs.start(job.id, RunRequest(node="alpha", key="k"))

    assert scene.runs.start(job.id, RunRequest(node="alpha", key="k")) == first


def test_a_run_that_waits_is_stored_whatever_the_nodes_do(scene: Scene) -> None:
    (run,) = asked(scene, RunRequest())

    assert scene.get(run).state is RunState.QUEUED


def test_a_run_that_does_not_wait_is_stored_when_a_node_could_take_it(scene: Scene) -> None:
    scene.node("alpha")
    (run,) = asked(scene, NOW_ONLY)

    assert scene.get(run).state is RunState.QUEUED


def no_node_serves_it(scene: Scene) -> None:
    scene.node("alpha", pools=("web",))


def its_node_has_died(scene: Scene) -> None:
    scene.node("alpha")
    scene.clock.move(HOUR)


def its_node_drains(scene: Scene) -> None:
    scene.node("alpha")
    scene.store.nodes.set_draining("alpha", draining=True)


def its_pool_is_paused(scene: Scene) -> None:
    scene.node("alpha")
    scene.store.nodes.pause_pool("default", paused=True)


def execution_is_off(scene: Scene) -> None:
    scene.node("alpha")
    scene.store.nodes.switch_execution(enabled=False)


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (no_node_serves_it, "no node serves pool default"),
        (its_node_has_died, "not alive: node alpha"),
        (its_node_drains, "draining: node alpha"),
        (its_pool_is_paused, "paused: pool default"),
        (execution_is_off, "the execution of jobs is switched off"),
    ],
)
def test_a_run_that_does_not_wait_is_refused_when_no_node_could_take_it(scene: Scene, prepare: Any, why: str) -> None:
    prepare(scene)

    with pytest.raises(NotNow) as refused:
        asked(scene, NOW_ONLY)
    assert str(refused.value) == why


def test_a_run_that_was_refused_is_not_stored(scene: Scene) -> None:
    job = scene.job(schedules=[])

    with pytest.raises(NotNow):
        scene.runs.start(job.id, NOW_ONLY)
    assert scene.runs_of(job) == []


def test_in_mode_all_one_node_that_could_take_its_run_is_enough(scene: Scene) -> None:
    scene.node("alpha")
    scene.clock.move(HOUR)
    scene.node("beta")

    assert [run.slot for run in asked(scene, NOW_ONLY, mode="all")] == ["alpha", "beta"]


def test_all_runs_under_way_are_told_however_many_there_are(scene: Scene) -> None:
    one = scene.start(scene.next_run(scene.job()))
    many = [replace(one, id=f"{number:05}", lock="") for number in range(1_500)]
    scene.store.runs.add(many)

    assert {run.id for run in scene.runs.live()} == {one.id, *(run.id for run in many)}


def test_a_run_that_has_ended_is_not_under_way(scene: Scene) -> None:
    scene.end(scene.next_run(scene.job()))

    assert list(scene.runs.live()) == []


def test_runs_under_way_on_a_node_are_told(scene: Scene) -> None:
    here, there = (scene.start(scene.next_run(scene.job(name=name)), node=name) for name in ("alpha", "beta"))

    assert list(scene.runs.live(node="beta")) == [there]
    assert list(scene.runs.live()) == [there, here]


def test_the_last_run_that_ended_is_not_the_one_under_way(scene: Scene) -> None:
    job = scene.job()
    before = scene.end(scene.next_run(job))
    scene.start(scene.next_run(job))

    assert scene.runs.last_ended([job.id]) == {job.id: before}


def test_a_dead_node_of_long_ago_is_no_reason_to_wait(scene: Scene) -> None:
    scene.node("alpha")
    scene.clock.move(2 * DAY)

    with pytest.raises(NotNow, match="not alive: node alpha"):
        asked(scene, NOW_ONLY)
