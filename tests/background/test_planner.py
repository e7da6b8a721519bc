"""Runs of the coming minute: each tick leaves exactly one record on each slot, whoever plans it, whatever happens in between."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.job import Job
from coal_mine.domain.planning import COALESCED, NOBODY_PLANNED, plan
from coal_mine.domain.run import Origin, RunState
from tests.support.jobs import DAY, HOUR, MINUTE, SECOND, Scene

QUEUED, MISSED, SKIPPED = RunState.QUEUED, RunState.MISSED, RunState.SKIPPED
FIVE_MINUTELY = [{"cron": "*/5 * * * *"}]
SECONDLY = [{"cron": "* * * * * *"}]


class Interrupted:
    """The jobs of a store, for a planner that dies before it moves them."""

    def __init__(self, scene: Scene) -> None:
        self._jobs = scene.store.jobs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jobs, name)

    def planned(self, plans: Sequence[tuple[Job, datetime | None]]) -> int:
        raise StoreUnavailable("died")


class Held:
    """The jobs of a store, where something happens after a planner has read them."""

    def __init__(self, scene: Scene, happens: Any) -> None:
        self._jobs = scene.store.jobs
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jobs, name)

    def to_plan(self, until: datetime, *, limit: int) -> list[Job]:
        found = self._jobs.to_plan(until, limit=limit)
        self._happens()
        return found


class With:
    """A store with other jobs."""

    def __init__(self, scene: Scene, jobs: Any) -> None:
        self._store = scene.store
        self.jobs = jobs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def die_before_moving(scene: Scene) -> None:
    with pytest.raises(StoreUnavailable):
        scene.new_planner(With(scene, Interrupted(scene))).run_once(scene.now)  # type: ignore[arg-type]


def plan_while(scene: Scene, happens: Any) -> None:
    scene.new_planner(With(scene, Held(scene, happens))).run_once(scene.now)  # type: ignore[arg-type]


def ticks_are_recorded_once(scene: Scene, job: Job, since: datetime, step: timedelta) -> bool:
    """Each tick since then, up to the job's next one, has one record."""
    next_at = scene.store.jobs.get(job.id).next_at
    assert next_at is not None
    wanted = {since + number * step: 1 for number in range((next_at - since) // step)}
    return Counter(run.tick for run in scene.runs_of(job)) == wanted


def outage(scene: Scene, length: timedelta, **body: Any) -> Job:
    """A job whose first tick was planned; then nobody planned for so long."""
    job = scene.job(**body)
    scene.plan()
    scene.clock.move(length)
    scene.plan()
    return job


def test_the_ticks_of_the_coming_minute_are_planned(scene: Scene) -> None:
    job = scene.job(schedules=[{"cron": "*/20 * * * * *"}])
    scene.plan()

    assert [run.tick.second for run in scene.runs_of(job)] == [20, 40, 0]


def test_a_run_may_be_started_from_its_tick_until_its_deadline(scene: Scene) -> None:
    run = scene.planned(start_deadline=90)

    assert (run.due_at, run.start_by) == (run.tick, run.tick + timedelta(seconds=90))


def test_nothing_is_planned_of_a_disabled_job(scene: Scene) -> None:
    job = scene.job(enabled=False)
    scene.plan()

    assert scene.runs_of(job) == []


def test_a_job_whose_last_tick_is_planned_has_no_next_one(scene: Scene) -> None:
    job = scene.job(schedules=[{"at": (scene.now + 30 * SECOND).isoformat()}])
    scene.plan()

    assert len(scene.runs_of(job)) == 1
    assert scene.store.jobs.get(job.id).next_at is None


def test_planning_again_adds_nothing(scene: Scene) -> None:
    job = scene.job(schedules=SECONDLY)
    scene.plan()
    before = scene.runs_of(job)
    scene.plan()

    assert scene.runs_of(job) == before


def test_two_planners_at_once_leave_one_record_of_each_tick(scene: Scene) -> None:
    jobs = [scene.job(schedules=SECONDLY) for _ in range(20)]
    since = scene.now.replace(microsecond=0) + SECOND
    planners = [scene.new_planner() for _ in range(2)]
    for _ in range(3):
        together = [threading.Thread(target=planner.run_once, args=(scene.now,)) for planner in planners]
        for thread in together:
            thread.start()
        for thread in together:
            thread.join()
        scene.clock.move(20 * SECOND)

    assert all(ticks_are_recorded_once(scene, job, since, SECOND) for job in jobs)


def test_a_planner_that_dies_before_it_moves_the_job_does_no_harm(scene: Scene) -> None:
    job = scene.job(schedules=SECONDLY)
    since = scene.now.replace(microsecond=0) + SECOND
    die_before_moving(scene)
    scene.clock.move(10 * SECOND)
    scene.plan()

    assert ticks_are_recorded_once(scene, job, since, SECOND)


def test_a_run_that_was_done_is_not_told_as_missed_by_a_planner_that_comes_late(scene: Scene) -> None:
    job = scene.job(catch_up="none")
    die_before_moving(scene)
    run = scene.runs_of(job)[0]
    scene.clock.move(MINUTE)
    scene.tell(scene.end(run))
    scene.clock.move(HOUR)
    missed_before = scene.alerts
    scene.plan()

    assert missed_before == []
    assert scene.get(run).state is RunState.DONE
    assert "Missed (run of 2026-11-22T12:01:00" not in " ".join(entry.text for entry in scene.history_of(job))


def test_runs_of_a_job_that_changes_while_it_is_planned_are_withdrawn(scene: Scene) -> None:
    job = scene.job()
    plan_while(scene, lambda: scene.jobs.patch(job.id, {"schedules": [{"cron": "30 * * * *"}]}))

    assert scene.runs_of(job) == []


def test_what_had_its_tick_before_a_change_stays(scene: Scene) -> None:
    job = scene.job()
    scene.clock.move(2 * MINUTE)
    plan_while(scene, lambda: scene.jobs.patch(job.id, {"command": "false"}))
    scene.plan()

    assert [(run.tick.minute, run.definition.command) for run in scene.runs_of(job)] == [(1, "true"), (2, "true"), (3, "false")]


def test_runs_of_a_job_that_is_deleted_while_it_is_planned_are_withdrawn(scene: Scene) -> None:
    job = scene.job()
    plan_while(scene, lambda: scene.jobs.delete(job.id))

    assert scene.runs_of(job) == []


def test_a_change_replaces_what_was_planned(scene: Scene) -> None:
    job = scene.job()
    scene.plan()
    scene.jobs.patch(job.id, {"command": "false"})
    scene.plan()

    assert [run.definition.command for run in scene.runs_of(job)] == ["false"]


@pytest.mark.parametrize("policy", ["none", "latest", "all"])
@pytest.mark.parametrize("length", [10 * MINUTE, 3 * DAY], ids=["ten minutes", "three days"])
def test_after_an_outage_each_tick_has_one_record(scene: Scene, policy: str, length: timedelta) -> None:
    since = scene.now.replace(second=0, microsecond=0) + MINUTE
    job = outage(scene, length, catch_up=policy, schedules=[{"every": 240, "from": since.isoformat()}])

    assert ticks_are_recorded_once(scene, job, since, 4 * MINUTE)


def states_after(scene: Scene, length: timedelta, **body: Any) -> Counter[tuple[RunState, Origin]]:
    job = outage(scene, length, **body)
    return Counter((run.state, run.origin) for run in scene.runs_of(job)[1:])


def test_after_three_minutes_without_catching_up_ticks_are_missed(scene: Scene) -> None:
    found = states_after(scene, timedelta(minutes=3, seconds=30), catch_up="none")

    assert found == {(MISSED, Origin.SCHEDULE): 1, (QUEUED, Origin.SCHEDULE): 2}


def test_a_missed_tick_is_told_at_once(scene: Scene) -> None:
    job = outage(scene, 10 * MINUTE, catch_up="none")

    assert scene.alerts == ["MISSED"]
    assert scene.runs_of(job)[1].reason == NOBODY_PLANNED


def test_after_three_minutes_the_latest_tick_runs_and_the_others_are_skipped(scene: Scene) -> None:
    found = states_after(scene, timedelta(minutes=3, seconds=30))

    assert found == {(SKIPPED, Origin.SCHEDULE): 1, (QUEUED, Origin.SCHEDULE): 2}


def test_a_tick_that_a_newer_one_stands_for_is_said_to_be_so_and_alerts_nobody(scene: Scene) -> None:
    job = outage(scene, 10 * MINUTE)

    assert scene.runs_of(job)[1].reason == COALESCED
    assert scene.alerts == []


def test_of_a_job_that_runs_every_ten_minutes_the_latest_tick_is_caught_up_with(scene: Scene) -> None:
    job = outage(scene, timedelta(minutes=48), schedules=[{"cron": "*/10 * * * *"}], start_deadline=60)
    latest = [run for run in scene.runs_of(job) if run.state is QUEUED]

    assert [(run.tick.minute, run.origin) for run in latest] == [(40, Origin.CATCH_UP)]
    assert latest[0].start_by == scene.now + MINUTE


def test_after_three_days_ticks_older_than_an_hour_are_missed(scene: Scene) -> None:
    found = states_after(scene, 3 * DAY, schedules=FIVE_MINUTELY)

    assert found == {(MISSED, Origin.SCHEDULE): 3 * 288 - 12 - 1, (SKIPPED, Origin.SCHEDULE): 12 - 1, (QUEUED, Origin.SCHEDULE): 1}


def test_of_three_days_all_ticks_within_the_limits_are_caught_up_with(scene: Scene) -> None:
    found = states_after(scene, 3 * DAY, schedules=FIVE_MINUTELY, catch_up={"policy": "all", "within": 2 * 86_400, "max": 50})

    assert found == {(QUEUED, Origin.CATCH_UP): 50, (SKIPPED, Origin.SCHEDULE): 2 * 288 - 50, (MISSED, Origin.SCHEDULE): 288 - 1}


def test_each_of_those_that_wait_for_each_other_has_time_for_that(scene: Scene) -> None:
    job = outage(scene, HOUR, catch_up="all")
    waiting = [run for run in scene.runs_of(job) if run.origin is Origin.CATCH_UP]

    assert len(waiting) == 59
    assert {run.start_by for run in waiting} == {scene.now + HOUR}


def test_thousands_of_ticks_are_planned_in_portions(scene: Scene) -> None:
    job = scene.job(schedules=SECONDLY, catch_up="all")
    scene.clock.move(HOUR)
    again_at = scene.planner.run_once(scene.now)

    assert (len(scene.runs_of(job)), again_at) == (500, scene.now)


def test_each_of_more_ticks_than_are_planned_at_once_has_one_record(scene: Scene) -> None:
    since = scene.now.replace(microsecond=0) + SECOND
    job = scene.job(schedules=SECONDLY)
    scene.clock.move(25 * MINUTE)
    scene.plan()

    assert ticks_are_recorded_once(scene, job, since, SECOND)


def test_in_mode_all_each_registered_node_gets_a_run_of_its_own(scene: Scene) -> None:
    for name, pools in (("alpha", ("default",)), ("beta", ("default", "other")), ("gamma", ("other",))):
        scene.node(name, pools=pools)
    job = scene.job(mode="all")
    scene.plan()

    assert [run.slot for run in scene.runs_of(job)] == ["alpha", "beta"]


def test_in_mode_all_a_node_that_was_not_seen_for_a_day_gets_none(scene: Scene) -> None:
    scene.node("alpha", seen_at=scene.now - DAY)
    scene.node("beta", seen_at=scene.now - DAY + SECOND)
    job = scene.job(mode="all")
    scene.plan()

    assert [run.slot for run in scene.runs_of(job)] == ["beta"]


def test_in_mode_all_without_any_node_a_tick_leaves_a_record_too(scene: Scene) -> None:
    job = scene.job(mode="all")
    scene.plan()

    assert [run.slot for run in scene.runs_of(job)] == ["any"]


def test_in_mode_all_an_outage_is_planned_in_portions_of_runs(scene: Scene) -> None:
    for number in range(100):
        scene.node(f"node{number}")
    job = scene.job(mode="all")
    job = replace(job, next_at=scene.now)
    found = plan(job, scene.store.nodes.all(), scene.clock.move(DAY / 2))

    assert len({run.tick for run in found.runs}) == 5
    assert len(found.runs) == 500


class _Broken:
    """A schedule with a fault."""

    def tick_after(self, at: datetime) -> datetime:
        raise ZeroDivisionError


class WithBrokenJob(Held):
    def to_plan(self, until: datetime, *, limit: int) -> list[Job]:
        first, *others = self._jobs.to_plan(until, limit=limit)
        return [replace(first, definition=replace(first.definition, schedules=(_Broken(),))), *others]  # type: ignore[arg-type]


def test_a_job_that_cannot_be_planned_keeps_no_other_from_being_and_loses_no_tick(scene: Scene) -> None:
    broken, sound = scene.job(), scene.job()
    since = scene.now.replace(second=0, microsecond=0) + MINUTE
    scene.new_planner(With(scene, WithBrokenJob(scene, None))).run_once(scene.now)  # type: ignore[arg-type]
    runs_beside = len(scene.runs_of(sound))
    scene.clock.move(5 * MINUTE)
    scene.plan()  # by a version in which the fault is mended

    assert runs_beside == 1
    assert ticks_are_recorded_once(scene, broken, since, MINUTE)


def test_each_of_several_ticks_that_nobody_planned_alerts_when_somebody_wants_that(scene: Scene) -> None:
    job = scene.job(catch_up="none", failure_alerts="every", start_deadline=1)
    scene.clock.move(4 * MINUTE + 30 * SECOND)
    scene.plan()

    assert scene.alerts == ["MISSED"] * scene.states_of(job).count(MISSED)
    assert len(scene.alerts) > 1
