"""Runs on nodes of which nothing is heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coal_mine.background.sweeper import Sweeper
from coal_mine.domain.node import Node, Switches
from coal_mine.domain.run import End, Outcome, Result, Run, RunState, ended, started
from tests.support.jobs import DAY, HOUR, MINUTE, SECOND, Scene

SILENCE = 36 * SECOND  # more than a lease and its margin


def silent(scene: Scene, **body: Any) -> Run:
    """A run under way on a node of which nothing is heard for a while."""
    scene.node("alpha")
    run = scene.start(scene.next_run(scene.job(**body)))
    scene.node("alpha")
    scene.clock.move(SILENCE)
    scene.sweep()
    return scene.get(run)


def test_a_run_on_a_silent_node_is_out_of_reach_and_told(scene: Scene) -> None:
    run = silent(scene)

    assert (run.state, scene.alerts) == (RunState.UNREACHABLE, ["LOST"])


def test_it_keeps_its_lock(scene: Scene) -> None:
    assert silent(scene).lock != ""


def test_a_node_that_was_heard_of_within_its_lease_is_not_judged(scene: Scene) -> None:
    scene.node("alpha")
    run = scene.start(scene.next_run(scene.job()))
    scene.node("alpha")
    scene.clock.move(25 * SECOND)
    scene.sweep()

    assert scene.get(run).state is RunState.RUNNING


def test_a_background_that_has_just_come_judges_no_node(scene: Scene) -> None:
    scene.node("alpha")
    run = scene.start(scene.next_run(scene.job()))
    scene.clock.move(HOUR)
    scene.sweeper.run_once(scene.now)

    assert scene.get(run).state is RunState.RUNNING


def test_after_an_outage_of_the_store_nodes_have_time_to_be_heard_of(scene: Scene) -> None:
    scene.node("alpha")
    run = scene.start(scene.next_run(scene.job()))
    scene.node("alpha")
    scene.sweep()
    scene.clock.move(HOUR)  # in which nobody reached the store
    scene.sweeper.run_once(scene.now)
    scene.clock.move(5 * SECOND)
    scene.node("alpha")
    scene.clock.move(2 * SECOND)
    scene.sweeper.run_once(scene.now)

    assert scene.get(run).state is RunState.RUNNING


def test_what_a_node_says_of_a_run_after_its_silence_counts(scene: Scene) -> None:
    run = silent(scene)
    scene.clock.move(SECOND)
    done = scene.write(ended(scene.write(started(run, scene.now)), result_of(scene, run)))
    scene.tell(done)

    assert (done.state, scene.alerts) == (RunState.DONE, ["LOST", "RESUMED"])


def test_a_run_of_which_nothing_is_heard_for_a_day_is_lost(scene: Scene) -> None:
    run = silent(scene)
    scene.clock.move(DAY)
    scene.sweep()
    found = scene.get(run)

    assert (found.state, found.lock) == (RunState.LOST, "")


def test_until_then_it_is_not(scene: Scene) -> None:
    run = silent(scene)
    scene.clock.move(DAY - MINUTE)
    scene.sweep()

    assert scene.get(run).state is RunState.UNREACHABLE


def test_a_run_on_a_node_that_was_removed_is_lost_at_once(scene: Scene) -> None:
    run = silent(scene)
    scene.store.nodes.remove("alpha")
    scene.sweep()
    found = scene.get(run)

    assert (found.state, found.lock, found.reason, scene.alerts) == (RunState.LOST, "", "node alpha was removed", ["LOST"])


def test_unless_it_may_be_run_again(scene: Scene) -> None:
    scene.node("alpha")
    run = scene.start(scene.next_run(scene.job(on_lost="rerun")))
    scene.clock.move(31 * SECOND)
    scene.store.nodes.remove("alpha")
    scene.sweep()

    assert (scene.get(run).state, scene.get(run).epoch) == (RunState.QUEUED, 2)


def test_one_that_may_be_run_again_is_due_at_once_with_a_new_epoch(scene: Scene) -> None:
    run = silent(scene, on_lost="rerun")

    assert (run.state, run.epoch, run.node, run.due_at) == (RunState.QUEUED, 2, "", scene.now)
    assert scene.alerts == []


def test_what_the_first_node_says_of_it_later_is_refused(scene: Scene) -> None:
    scene.node("alpha")
    run = scene.start(scene.next_run(scene.job(on_lost="rerun")))
    scene.clock.move(SILENCE)
    scene.sweep()
    again = scene.start(scene.get(run), "beta")

    assert scene.store.runs.change([ended(run, result_of(scene, run))]) == [Outcome.LOST]
    assert scene.get(run) == again


def test_what_is_run_again_is_an_attempt_of_its_own(scene: Scene) -> None:
    run = silent(scene, on_lost="rerun")

    assert scene.claim(run, "beta").attempt == 2


def test_a_lost_attempt_that_is_followed_by_another_is_remembered(scene: Scene) -> None:
    run = silent(scene, on_lost="rerun")
    (attempt,) = run.past_attempts

    assert (attempt.number, attempt.node, attempt.ended_at, attempt.lost) == (1, "alpha", scene.now, True)
    assert attempt.reason == run.reason


def test_a_lost_attempt_is_no_retry(scene: Scene) -> None:
    again = scene.start(silent(scene, on_lost="rerun", retries=1), "beta")

    assert scene.end(again, exit_code=1).state is RunState.RETRYING


def test_one_that_nobody_runs_again_in_time_is_lost(scene: Scene) -> None:
    run = silent(scene, on_lost="rerun")
    scene.clock.move(run.start_by - scene.now)
    scene.sweeper.run_once(scene.now)

    assert (scene.get(run).state, scene.alerts) == (RunState.LOST, ["LOST"])


def test_a_node_that_announces_itself_while_others_are_judged_keeps_its_run(scene: Scene) -> None:
    scene.node("alpha")
    scene.start(scene.next_run(scene.job()))
    run = scene.planned()
    sweeper = Sweeper(_Busy(scene, run), tell=scene.outcomes.tell, kept=DAY, lost_after=DAY)  # type: ignore[arg-type]
    scene.clock.move(run.tick - scene.now - 8 * SECOND)
    sweeper.run_once(scene.now)
    scene.node("alpha")
    sweeper.run_once(scene.clock.move(8 * SECOND))

    assert scene.get(run).state is RunState.CLAIMED


class _Busy:
    """A store in which a new node takes a run just after somebody has asked for all nodes to judge them."""

    def __init__(self, scene: Scene, run: Run) -> None:
        self._scene = scene
        self._run = run
        self._is_due = False
        self.nodes = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scene.store, name)

    def switches(self) -> Switches:
        """Asked for before silent nodes are judged."""
        self._is_due = self._scene.now >= self._run.tick
        return self._scene.store.nodes.switches()

    def all(self) -> Sequence[Node]:
        found = self._scene.store.nodes.all()
        if self._is_due and len(found) == 1:
            self._scene.node("new")
            self._scene.claim(self._run, "new")
        return found


def result_of(scene: Scene, run: Run) -> Result:
    return Result(end=End.EXITED, started_at=run.started_at, ended_at=scene.now, exit_code=0)
