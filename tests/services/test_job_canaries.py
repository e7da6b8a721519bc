"""The canary that each job owns follows the job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from coal_mine.domain.alert import Kind
from coal_mine.domain.canary import Entry, failed
from coal_mine.domain.errors import Invalid, NotFound
from coal_mine.domain.job import Job
from coal_mine.domain.ports import CanaryFilter
from coal_mine.domain.times import END_OF_TIME
from coal_mine.services.canaries import Canaries, Reference
from coal_mine.services.definitions import Definition
from coal_mine.services.job_canaries import JobCanaries
from coal_mine.services.jobs import Jobs
from tests.support.jobs import DAY, MINUTE, MINUTELY, SECOND, Scene

WEEKLY = [{"cron": "0 0 * * 0"}]


def test_a_new_job_has_a_canary_of_its_name_that_waits_for_its_first_run(scene: Scene) -> None:
    canary = scene.canary_of(scene.job(emails=["jo@example.com"]))

    assert (canary.name, canary.emails, canary.paused) == ("Backup", ("jo@example.com",), False)
    assert canary.deadline is not None
    assert canary.deadline > scene.now + MINUTE


def test_the_canary_waits_at_least_as_long_as_a_run_may_take(scene: Scene) -> None:
    job = scene.job(timeout=7_200)
    deadline = scene.canary_of(job).deadline

    assert deadline is not None
    assert job.next_at is not None
    assert deadline - job.next_at > timedelta(hours=2)


def test_the_canary_waits_for_the_attempts_that_may_follow_a_failed_one(scene: Scene) -> None:
    job = scene.job(retries={"max": 2, "wait": 600, "longest": 600})
    deadline = scene.canary_of(job).deadline

    assert deadline is not None
    assert job.next_at is not None
    assert deadline - job.next_at > timedelta(minutes=20)


def test_a_grace_holds_for_all_attempts_together(scene: Scene) -> None:
    job = scene.job(retries={"max": 2, "wait": 600}, grace=120)
    deadline = scene.canary_of(job).deadline

    assert deadline is not None
    assert job.next_at is not None
    assert deadline - job.next_at == timedelta(seconds=135)


def test_the_canary_of_a_job_without_schedules_waits_for_ever(scene: Scene) -> None:
    assert scene.canary_of(scene.job(schedules=[])).deadline == END_OF_TIME


def test_a_second_job_of_the_same_name_gets_a_canary_with_its_id_in_the_name(scene: Scene) -> None:
    scene.job()
    second = scene.job()

    assert scene.canary_of(second).name == f"Backup ({second.id})"


def test_the_canary_of_a_disabled_job_is_paused(scene: Scene) -> None:
    assert scene.canary_of(scene.job(enabled=False)).paused


def test_disabling_pauses_and_enabling_unpauses(scene: Scene) -> None:
    job = scene.job()
    scene.jobs.disable(job.id)
    was_paused = scene.canary_of(job).paused
    scene.jobs.enable(job.id)

    assert (was_paused, scene.canary_of(job).paused) == (True, False)


def test_an_enabled_job_is_waited_for_from_then_on(scene: Scene) -> None:
    job = scene.job(enabled=False)
    scene.clock.move(30 * DAY)
    scene.jobs.enable(job.id)
    deadline = scene.canary_of(job).deadline

    assert deadline is not None
    assert deadline > scene.now


def test_deleting_a_job_deletes_its_canary(scene: Scene) -> None:
    job = scene.job()
    scene.jobs.delete(job.id)

    assert scene.store.canaries.histories([job.canary_id], limit=1) == {}


def test_a_renamed_job_renames_its_canary(scene: Scene) -> None:
    job = scene.job()
    scene.jobs.patch(job.id, {"name": "Nightly backup"})

    assert (scene.canary_of(job).name, scene.canary_of(job).slug) == ("Nightly backup", "nightly-backup")


def test_a_job_that_is_renamed_to_the_name_of_another_canary_keeps_a_canary_of_its_own(scene: Scene) -> None:
    Canaries(scene.store, scene.clock, scene.ids).create(Definition(name="Taken", periodicity="60"))
    job = scene.job()
    scene.jobs.patch(job.id, {"name": "Taken"})

    assert scene.canary_of(job).name == f"Taken ({job.id})"


def test_a_change_of_the_emails_reaches_the_canary(scene: Scene) -> None:
    job = scene.job()
    scene.jobs.patch(job.id, {"emails": ["jo@example.com"]})

    assert scene.canary_of(job).emails == ("jo@example.com",)


def test_a_schedule_that_becomes_more_frequent_is_counted_from_the_change(scene: Scene) -> None:
    job = scene.job(schedules=WEEKLY)
    scene.clock.move(3 * DAY)
    scene.jobs.patch(job.id, {"schedules": MINUTELY})

    assert (scene.canary_of(job).late, scene.alerts) == (False, [])


def test_a_change_does_not_make_a_late_canary_timely(scene: Scene) -> None:
    job = scene.job()
    scene.store.canaries.mark_late(scene.clock.move(DAY))
    scene.jobs.patch(job.id, {"schedules": WEEKLY})

    assert (scene.canary_of(job).late, scene.alerts) == (True, ["LATE"])


def test_a_change_does_not_make_the_last_run_a_good_one(scene: Scene) -> None:
    job = scene.job()
    entry = Entry(scene.clock.move(SECOND), "Failed", "n")
    scene.store.canaries.apply(failed(scene.canary_of(job), entry, Kind.FAILED, "why"))
    scene.jobs.patch(job.id, {"timeout": 5})

    assert scene.canary_of(job).cause is Kind.FAILED


def test_a_canary_that_somebody_has_deleted_is_made_anew_with_the_next_change(scene: Scene) -> None:
    job = scene.job()
    scene.store.canaries.remove(job.canary_id)
    scene.jobs.patch(job.id, {"timeout": 5})
    now_there = scene.store.jobs.get(job.id)

    assert now_there.canary_id != job.canary_id
    assert scene.canary_of(now_there).name == "Backup"


def test_a_repeated_change_mends_what_a_crash_has_left_undone(scene: Scene) -> None:
    job = scene.job()
    undone = replace(job, definition=replace(job.definition, enabled=False), version=2, next_at=None)
    scene.store.jobs.replace(job, undone)  # and no more: the server died
    scene.jobs.disable(job.id)

    assert scene.canary_of(job).paused


class _Overtaken(JobCanaries):
    """Somebody else changes the job between a change of it and what its canary hears of that."""

    def __init__(self, scene: Scene, other: Callable[[str], object]) -> None:
        super().__init__(scene.store, scene.ids)
        self._other = other

    def follow(self, job: Job, now: datetime) -> str:
        self._other(job.id)
        return super().follow(job, now)


def overtaken(scene: Scene, other: Callable[[str], object]) -> Jobs:
    return Jobs(scene.store, scene.clock, scene.ids, _Overtaken(scene, other))


def test_a_job_that_is_enabled_while_it_is_disabled_keeps_a_canary_that_waits(scene: Scene) -> None:
    job = scene.job()
    overtaken(scene, scene.jobs.enable).disable(job.id)

    assert (scene.jobs.get(job.id).job.definition.enabled, scene.canary_of(job).paused) == (True, False)


def test_a_job_that_is_disabled_while_it_is_enabled_keeps_a_paused_canary(scene: Scene) -> None:
    job = scene.job(enabled=False)
    overtaken(scene, scene.jobs.disable).enable(job.id)

    assert (scene.jobs.get(job.id).job.definition.enabled, scene.canary_of(job).paused) == (False, True)


def test_a_job_that_is_deleted_while_it_is_settled_leaves_no_canary(scene: Scene) -> None:
    job = scene.job()
    with pytest.raises(NotFound):
        overtaken(scene, scene.jobs.delete).settle(job.id)

    assert list(scene.store.canaries.select(CanaryFilter())) == []


def test_an_older_change_that_comes_later_does_not_bring_old_receivers_back(scene: Scene) -> None:
    job = scene.job()
    other = overtaken(scene, lambda job_id: scene.jobs.patch(job_id, {"emails": ["new@example.com"]}))
    other.patch(job.id, {"emails": ["old@example.com"]})

    assert scene.canary_of(job).emails == ("new@example.com",)


def test_a_change_that_concerns_no_time_leaves_the_deadline(scene: Scene) -> None:
    job = scene.job()
    before = scene.canary_of(job).deadline
    scene.clock.move(MINUTE)
    scene.jobs.patch(job.id, {"command": "false"})

    assert scene.canary_of(job).deadline == before


def test_a_canary_of_a_job_is_not_paused_by_hand(scene: Scene) -> None:
    job = scene.job()

    with pytest.raises(Invalid, match=f"belongs to job {job.id}"):
        Canaries(scene.store, scene.clock, scene.ids).pause(Reference(id=job.canary_id), "")


def test_a_canary_of_a_disabled_job_is_not_unpaused_by_hand(scene: Scene) -> None:
    job = scene.job(enabled=False)

    with pytest.raises(Invalid, match=f"belongs to job {job.id}"):
        Canaries(scene.store, scene.clock, scene.ids).unpause(Reference(id=job.canary_id), "")
