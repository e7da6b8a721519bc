"""What a change of a job does to what was planned, and what it leaves when it ends in the middle."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from coal_mine.background.planner import Planner
from coal_mine.domain.errors import Changed, Conflict, NotFound
from coal_mine.domain.job import Job
from coal_mine.domain.job_ports import RunFilter
from coal_mine.domain.ports import CanaryFilter
from coal_mine.domain.run import RunState
from coal_mine.services.canaries import Canaries, Reference
from coal_mine.services.job_canaries import JobCanaries
from coal_mine.services.jobs import Jobs
from coal_mine.services.run_requests import RunRequest
from tests.services.conftest import Office
from tests.support.edges import SequenceIds

MINUTELY = {"name": "Minutely", "command": "true", "schedules": [{"cron": "* * * * *"}]}
MINUTE = timedelta(minutes=1)


class Dies(Exception):
    """The process, in a test."""


class DyingCanaries(JobCanaries):
    """Dies before it deletes, or before it follows."""

    def follow(self, job: Job, now: Any) -> str:
        raise Dies

    def delete(self, canary_id: str) -> None:
        raise Dies


def planned(office: Office) -> None:
    """Let a planner do its work."""
    Planner(office.store, run_planned=lambda: None, run_ended=lambda runs: None).run_once(office.clock.now())


def states(office: Office, job: Job) -> list[tuple[str, str]]:
    """State and reason of all runs, the oldest first."""
    found = office.store.runs.select(RunFilter(job_id=job.id), limit=100)
    return [(run.state.value, run.reason) for run in reversed(found)]


@pytest.fixture
def job(office: Office) -> Job:
    return office.jobs.create(MINUTELY).job


def test_a_change_withdraws_the_runs_that_lie_ahead(office: Office, job: Job) -> None:
    planned(office)
    assert states(office, job) == [("queued", "")]

    office.jobs.patch(job.id, {"schedules": [{"cron": "0 0 1 1 *"}]})

    assert states(office, job) == []


def test_disabling_skips_a_run_whose_tick_has_passed(office: Office, job: Job) -> None:
    planned(office)
    office.clock.move(MINUTE)
    office.jobs.disable(job.id)

    assert states(office, job) == [("skipped", "the job was disabled")]


def test_disabling_leaves_a_run_that_was_asked_for_by_hand(office: Office, job: Job) -> None:
    run = office.runs.start(job.id, RunRequest())[0]
    office.clock.move(MINUTE)
    office.jobs.disable(job.id)

    assert office.runs.get(run.id).state is RunState.QUEUED


def test_deleting_skips_and_kills_what_waits(office: Office, job: Job) -> None:
    planned(office)
    office.runs.start(job.id, RunRequest())
    office.clock.move(MINUTE)
    office.jobs.delete(job.id)

    assert sorted(states(office, job)) == [("killed", "the job was deleted"), ("skipped", "the job was deleted")]


def test_ticks_that_nobody_planned_are_recorded_before_a_change_forgets_them(office: Office, job: Job) -> None:
    office.clock.move(timedelta(minutes=10))
    office.jobs.patch(job.id, {"schedules": [{"cron": "0 0 1 1 *"}]})

    assert [state for state, _ in states(office, job)] == ["skipped"] * 9 + ["queued"]


def test_a_change_that_another_change_preceded_is_made_on_top_of_it(office: Office, job: Job) -> None:
    office.jobs.patch(job.id, {"priority": 1})
    office.jobs.patch(job.id, {"description": "both"})
    both = office.jobs.get(job.id).job

    assert (both.definition.priority, both.definition.description, both.version) == (1, "both", 3)


def test_a_version_that_has_passed_changes_nothing(office: Office, job: Job) -> None:
    office.jobs.patch(job.id, {"priority": 1})
    with pytest.raises(Changed):
        office.jobs.delete(job.id, version=1)

    assert office.jobs.get(job.id).job.definition.enabled


def test_a_change_makes_a_new_canary_when_the_old_one_is_gone(office: Office, job: Job) -> None:
    office.store.canaries.remove(job.canary_id)
    changed = office.jobs.patch(job.id, {"priority": 1}).job

    assert office.jobs.get(job.id).job == changed
    assert office.store.canaries.get(changed.canary_id).name == "Minutely"


def test_a_change_that_ended_in_the_middle_is_completed_by_the_same_call(office: Office, job: Job) -> None:
    planned(office)
    dying = Jobs(office.store, office.clock, SequenceIds(), DyingCanaries(office.store, SequenceIds()))
    with pytest.raises(Dies):
        dying.disable(job.id)
    office.jobs.disable(job.id)

    assert office.store.canaries.get(job.canary_id).paused
    assert office.jobs.get(job.id).job.version == 2


def test_a_deletion_that_ended_in_the_middle_leaves_nothing_that_alerts(office: Office, job: Job) -> None:
    office.jobs.disable(job.id)

    class Follows(DyingCanaries):
        follow = JobCanaries.follow

    dying = Jobs(office.store, office.clock, SequenceIds(), Follows(office.store, SequenceIds()))
    with pytest.raises(Dies):
        dying.delete(job.id)

    assert [canary.paused for canary in office.store.canaries.select(CanaryFilter())] == [True]
    with pytest.raises(NotFound):
        office.jobs.get(job.id)


def test_a_second_job_of_one_id_leaves_the_first_and_its_canary_alone(office: Office) -> None:
    first = office.jobs.create(MINUTELY | {"id": "one"}).job
    with pytest.raises(Conflict):
        office.jobs.create(MINUTELY | {"id": "one"})

    assert [canary.id for canary in office.store.canaries.select(CanaryFilter())] == [first.canary_id]


def test_a_canary_that_a_crash_left_without_its_job_can_be_deleted(office: Office) -> None:
    canaries = Canaries(office.store, office.clock, SequenceIds())
    job = office.jobs.create(MINUTELY).job
    office.store.jobs.remove(job)
    canaries.delete(Reference(id=job.canary_id))

    assert list(office.store.canaries.select(CanaryFilter())) == []
