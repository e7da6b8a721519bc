"""What a job's canary hears of runs that are told twice, late, or together with others."""

from __future__ import annotations

from coal_mine.domain.run import abandoned
from tests.support.jobs import MINUTE, Scene

EVERY = {"failure_alerts": "every"}


def test_told_twice_a_failure_changes_nothing(scene: Scene) -> None:
    run = scene.end(scene.next_run(scene.job(**EVERY)), exit_code=1)
    scene.tell(run)
    before = (scene.alerts, scene.canary_of(run), scene.history_of(run))
    scene.clock.move(MINUTE)
    scene.tell(run)

    assert (scene.alerts, scene.canary_of(run), scene.history_of(run)) == before


def test_told_twice_a_run_out_of_reach_changes_nothing(scene: Scene) -> None:
    run = scene.write(abandoned(scene.start(scene.next_run(scene.job(**EVERY))), "silent", scene.now))
    scene.tell(run)
    before = (scene.alerts, scene.canary_of(run), scene.history_of(run))
    scene.clock.move(MINUTE)
    scene.tell(run)

    assert (scene.alerts, scene.canary_of(run), scene.history_of(run)) == before


def test_told_twice_a_good_run_changes_nothing(scene: Scene) -> None:
    run = scene.end(scene.next_run(scene.job()))
    scene.tell(run)
    before = (scene.canary_of(run), scene.history_of(run))
    scene.clock.move(MINUTE)
    scene.tell(run)

    assert (scene.canary_of(run), scene.history_of(run)) == before


def test_a_good_run_that_is_told_after_a_later_failure_does_not_hide_it(scene: Scene) -> None:
    job = scene.job()
    good = scene.end(scene.next_run(job))
    scene.tell(scene.end(scene.next_run(job), exit_code=1))
    scene.tell(good)

    assert scene.canary_of(job).late


def test_a_failure_and_a_later_good_run_that_are_told_together_are_both_told(scene: Scene) -> None:
    job = scene.job()
    bad = scene.end(scene.next_run(job), exit_code=1)
    good = scene.end(scene.next_run(job))
    scene.tell(good, bad)

    assert scene.alerts == ["FAILED", "RESUMED"]


def test_a_good_run_and_a_later_failure_that_are_told_together_leave_the_canary_late(scene: Scene) -> None:
    job = scene.job()
    good = scene.end(scene.next_run(job))
    bad = scene.end(scene.next_run(job), exit_code=1)
    scene.tell(good, bad)

    assert (scene.canary_of(job).late, scene.alerts) == (True, ["FAILED"])


def test_a_report_is_owed_once_however_often_it_is_told(scene: Scene) -> None:
    run = scene.end(scene.next_run(scene.job(mail_report="always", mail_to=["jo@example.com"])))
    scene.tell(run)
    scene.tell(run)

    assert len(scene.reports) == 1
