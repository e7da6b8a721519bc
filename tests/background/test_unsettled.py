"""Jobs that were changed by somebody who died before the canary heard of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coal_mine.background.unsettled import EVERY, SETTLED_AFTER, UnsettledJobs
from coal_mine.domain.errors import Conflict, StoreUnavailable
from coal_mine.domain.job import Job
from tests.support.jobs import DAY, MINUTE, SECOND, Scene


def half_changed(scene: Scene, job: Job, **values: Any) -> Job:
    """Its change is stored, and its canary has not heard of it."""
    after = replace(job, definition=replace(job.definition, **values), version=job.version + 1, changed_at=scene.now)
    assert scene.store.jobs.replace(job, after)
    return after


def emails_of(scene: Scene, job: Job) -> tuple[str, ...]:
    return scene.canary_of(job).emails


def test_a_canary_that_did_not_hear_of_a_change_is_found_at_the_start(scene: Scene) -> None:
    job = half_changed(scene, scene.job(), emails=("new@example.com",))
    scene.unsettled.run_once(scene.clock.move(DAY))

    assert emails_of(scene, job) == ("new@example.com",)


def test_a_canary_that_did_not_hear_of_a_change_is_found_by_a_background_that_lives(scene: Scene) -> None:
    job = scene.job()
    scene.unsettled.run_once(scene.clock.move(DAY))
    half_changed(scene, job, emails=("new@example.com",))
    scene.unsettled.run_once(scene.clock.move(EVERY))

    assert emails_of(scene, job) == ("new@example.com",)


def test_a_job_that_was_disabled_by_halves_has_a_paused_canary(scene: Scene) -> None:
    job = half_changed(scene, scene.job(), enabled=False)
    scene.unsettled.run_once(scene.clock.move(DAY))

    assert scene.canary_of(job).paused


def test_whoever_is_about_to_end_a_change_is_left_to_it(scene: Scene) -> None:
    job = half_changed(scene, scene.job(), emails=("new@example.com",))
    scene.unsettled.run_once(scene.clock.move(SETTLED_AFTER - SECOND))

    assert emails_of(scene, job) == ()


def test_a_change_that_was_too_young_for_one_pass_is_found_by_the_next(scene: Scene) -> None:
    job = half_changed(scene, scene.job(), emails=("new@example.com",))
    scene.unsettled.run_once(scene.clock.move(SETTLED_AFTER - SECOND))
    scene.unsettled.run_once(scene.clock.move(EVERY))

    assert emails_of(scene, job) == ("new@example.com",)


def test_jobs_that_were_changed_as_a_whole_are_left_alone(scene: Scene) -> None:
    settled: list[str] = []
    unsettled = UnsettledJobs(scene.store, settled.append)
    scene.jobs.patch(scene.job().id, {"emails": ["new@example.com"]})
    unsettled.run_once(scene.clock.move(DAY))

    assert settled == []


def test_among_more_jobs_than_a_page_holds_the_last_is_found_too(scene: Scene) -> None:
    for number in range(500):
        scene.store.jobs.add(replace(scene_job(scene), id=f"other{number}"))
    job = half_changed(scene, scene.job(), emails=("new@example.com",))
    now = scene.clock.move(DAY)
    scene.unsettled.run_once(now)
    scene.unsettled.run_once(now)

    assert emails_of(scene, job) == ("new@example.com",)


def scene_job(scene: Scene) -> Job:
    """One that is older than all others, and has no canary."""
    return Job(
        id="", definition=scene.jobs.preview({"name": "Other", "command": "true"}).definition, canary_id="nonesuch", version=1,
        created_at=scene.now - DAY, changed_at=scene.now - DAY, next_at=None,
    )  # fmt: skip


def test_a_canary_that_cannot_follow_does_not_keep_others_from_it(scene: Scene) -> None:
    settled: list[str] = []

    def settle(job_id: str) -> None:
        settled.append(job_id)
        raise Conflict("its name is taken")

    jobs = [half_changed(scene, scene.job(), priority=1) for _ in range(2)]
    UnsettledJobs(scene.store, settle).run_once(scene.clock.move(DAY))

    assert sorted(settled) == sorted(job.id for job in jobs)


class OneFault:
    """Settles jobs, but fails at the first of them the first time."""

    def __init__(self, scene: Scene, error: Exception) -> None:
        self._scene = scene
        self._errors = [error]
        self.tried: list[str] = []

    def __call__(self, job_id: str) -> None:
        self.tried.append(job_id)
        if self._errors:
            raise self._errors.pop()
        self._scene.jobs.settle(job_id)


def test_a_job_that_cannot_be_read_keeps_no_other_from_being_settled(scene: Scene) -> None:
    jobs = [half_changed(scene, scene.job(), emails=("new@example.com",)) for _ in range(2)]
    settle = OneFault(scene, ValueError("broken"))
    UnsettledJobs(scene.store, settle).run_once(scene.clock.move(DAY))

    assert sorted(settle.tried) == sorted(job.id for job in jobs)


def test_a_job_that_the_store_refuses_to_settle_holds_up_one_step_and_no_more(scene: Scene) -> None:
    jobs = [half_changed(scene, scene.job(), emails=("new@example.com",)) for _ in range(2)]
    settle = OneFault(scene, StoreUnavailable("refused"))
    unsettled = UnsettledJobs(scene.store, settle)
    now = scene.clock.move(DAY)
    with pytest.raises(StoreUnavailable):
        unsettled.run_once(now)
    unsettled.run_once(now)

    assert sorted(settle.tried) == sorted(job.id for job in jobs)


def test_a_job_that_could_not_be_settled_is_tried_again_however_old_its_change_is(scene: Scene) -> None:
    job = half_changed(scene, scene.job(), emails=("new@example.com",))
    unsettled = UnsettledJobs(scene.store, OneFault(scene, ValueError("broken")))
    unsettled.run_once(scene.clock.move(DAY))
    unsettled.run_once(scene.clock.move(MINUTE))

    assert emails_of(scene, job) == ("new@example.com",)
