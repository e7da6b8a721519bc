"""What a job's canary hears where every node runs each tick."""

from __future__ import annotations

from coal_mine.domain.run import Run, skipped
from tests.support.jobs import SECOND, Scene

ALL = {"mode": "all"}


def on_two_nodes(scene: Scene) -> list[Run]:
    scene.node("alpha")
    scene.node("beta")
    run = scene.next_run(scene.job(**ALL))
    return scene.store.runs.of_tick(run.job_id, run.tick)


def test_in_mode_all_a_tick_is_good_when_the_last_node_has_done_it(scene: Scene) -> None:
    first, second = on_two_nodes(scene)
    scene.tell(scene.end(first))
    before = len(scene.history_of(first))
    scene.tell(scene.end(second))

    assert (before, len(scene.history_of(first))) == (1, 2)


def test_in_mode_all_one_failure_makes_the_canary_late_and_a_good_node_does_not_end_that(scene: Scene) -> None:
    first, second = on_two_nodes(scene)
    scene.tell(scene.end(first, exit_code=1))
    scene.clock.move(SECOND)
    scene.tell(scene.end(second))

    assert (scene.canary_of(first).late, scene.alerts) == (True, ["FAILED"])


def test_in_mode_all_a_drained_node_does_not_keep_a_tick_from_being_good(scene: Scene) -> None:
    first, second = on_two_nodes(scene)
    scene.tell(scene.end(first))
    scene.tell(scene.write(skipped(second, "draining: node beta", scene.now)))

    assert scene.history_of(first)[0].text.startswith("Triggered")


def test_in_mode_all_a_tick_that_all_nodes_were_kept_from_triggers_nothing(scene: Scene) -> None:
    for run in on_two_nodes(scene):
        scene.tell(scene.write(skipped(run, "draining", scene.now)))

    assert len(scene.history_of(run)) == 1


def test_in_mode_all_three_skips_of_one_node_are_told(scene: Scene) -> None:
    scene.node("alpha")
    scene.node("beta")
    job = scene.job(**ALL)
    for _ in range(3):
        run = scene.next_run(job)
        runs = scene.store.runs.of_tick(job.id, run.tick)
        scene.tell(scene.end(runs[0]), scene.write(skipped(runs[1], "an earlier run is still under way", scene.now)))

    assert scene.alerts == ["LATE"]
