"""Runs of which nobody else looks after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from coal_mine.background.sweeper import Sweeper
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.node import Node
from coal_mine.domain.run import End, Outcome, Result, Run, RunState, ended, started
from coal_mine.stores.sqlite.store import SqliteStore
from tests.support.jobs import DAY, HOUR, MINUTE, SECOND, Scene

SILENCE = 36 * SECOND  # more than a lease and its margin


@pytest.fixture
def scene(store: SqliteStore) -> Scene:
    return Scene(store)


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


def due_as(scene: Scene, user: str) -> Run:
    run = scene.next_run(scene.job(user=user))
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


def test_after_an_outage_a_run_that_no_node_may_run_has_failed_and_was_not_missed(scene: Scene) -> None:
    scene.node("alpha", users=("www",))
    run = scene.planned(user="oracle")
    scene.clock.move(HOUR)
    scene.sweeper.run_once(scene.now)

    assert scene.get(run).reason == "no node may run as oracle"


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
    sweeper = Sweeper(_Busy(scene, run), tell=scene.outcomes.tell, settle=scene.jobs.settle, kept=DAY, lost_after=DAY)  # type: ignore[arg-type]
    scene.clock.move(run.tick - scene.now - 8 * SECOND)
    sweeper.run_once(scene.now)
    scene.node("alpha")
    sweeper.run_once(scene.clock.move(8 * SECOND))

    assert scene.get(run).state is RunState.CLAIMED


class _Busy:
    """A store in which a new node takes a run just after somebody has asked for all nodes."""

    def __init__(self, scene: Scene, run: Run) -> None:
        self._scene = scene
        self._run = run
        self.nodes = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scene.store, name)

    def all(self) -> Sequence[Node]:
        found = self._scene.store.nodes.all()
        if len(found) == 1:
            self._scene.node("new")
            self._scene.claim(self._run, "new")
        return found


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
        Sweeper(scene.store, tell=die, settle=scene.jobs.settle, kept=DAY, lost_after=DAY).run_once(scene.now)
    scene.sweeper.run_once(scene.clock.move(4 * SECOND))

    assert scene.alerts == ["MISSED"]


def test_the_canary_of_a_run_under_way_is_not_late_however_long_it_takes(scene: Scene) -> None:
    run = under_way(scene, 2 * HOUR)
    scene.store.canaries.mark_late(scene.now)

    assert not scene.canary_of(run).late


def test_it_is_late_when_the_run_takes_longer_than_somebody_said(scene: Scene) -> None:
    run = under_way(scene, HOUR, grace=600, start_deadline=60)
    scene.store.canaries.mark_late(scene.now)

    assert scene.canary_of(run).late


def test_a_run_with_a_limit_is_waited_for_until_then(scene: Scene) -> None:
    run = under_way(scene, MINUTE, timeout=3_600)
    deadline = scene.canary_of(run).deadline

    assert deadline is not None
    assert deadline - run.tick > HOUR


def test_a_canary_that_waits_for_a_run_is_late_after_the_run_has_vanished(scene: Scene) -> None:
    run = under_way(scene, HOUR)
    scene.clock.move(10 * MINUTE)
    scene.store.canaries.mark_late(scene.now)

    assert scene.canary_of(run).late


def test_runs_that_ended_long_ago_are_forgotten(scene: Scene) -> None:
    run = scene.end(scene.next_run(scene.job()))
    scene.tell(run)
    scene.clock.move(31 * DAY)
    scene.sweeper.run_once(scene.now)

    assert scene.runs_of(run) == []


def under_way(scene: Scene, length: timedelta, **body: Any) -> Run:
    """A run that has lived for so long, its node too."""
    run = scene.start(scene.next_run(scene.job(schedules=[{"cron": "0 12 * * *"}, {"cron": "1 12 * * *"}], **body)))
    end = scene.now + length
    while scene.now < end:
        scene.node("alpha")
        scene.sweeper.run_once(scene.clock.move(min(15 * SECOND, end - scene.now)))
    return run


def result_of(scene: Scene, run: Run) -> Result:
    return Result(end=End.EXITED, started_at=run.started_at, ended_at=scene.now, exit_code=0)


def die(runs: Sequence[Run]) -> None:
    if runs:
        raise StoreUnavailable("died")
