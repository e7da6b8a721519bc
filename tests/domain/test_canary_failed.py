"""A job's canary hears that a run went wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from coal_mine.domain.alert import Kind
from coal_mine.domain.canary import Canary, Entry, created, failed, triggered
from coal_mine.domain.periodicity import OfJob

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BACKUP = created(
    id="abcdefgh",
    name="Backup",
    slug="backup",
    description="",
    periodicity=OfJob("backup", (), 3_600),
    emails=("jo@example.com",),
    paused=False,
    at=NOW - 100 * SECOND,
)


def bad(at: datetime) -> Entry:
    return Entry(at, "Failed", "nonce")


def after_good(at: datetime) -> Canary:
    return triggered(BACKUP, Entry(at, "Triggered", "good"))[0].after


def test_the_first_failure_makes_it_late_with_its_cause() -> None:
    transition = failed(BACKUP, bad(NOW), Kind.FAILED, "why")

    assert (transition.after.late, transition.after.cause) == (True, Kind.FAILED)
    assert [(alert.kind, alert.detail) for alert in transition.owe] == [(Kind.FAILED, "why")]


def test_a_second_failure_only_enters_the_history() -> None:
    late = failed(BACKUP, bad(NOW), Kind.FAILED, "").after
    transition = failed(late, bad(NOW + SECOND), Kind.MISSED, "")

    assert not transition.owe
    assert transition.entry


def test_with_every_a_second_failure_is_an_alert() -> None:
    late = failed(BACKUP, bad(NOW), Kind.FAILED, "").after

    assert [alert.kind for alert in failed(late, bad(NOW + SECOND), Kind.MISSED, "", every=True).owe] == [Kind.MISSED]


def test_a_failure_told_twice_is_one_alert() -> None:
    first = failed(BACKUP, bad(NOW), Kind.FAILED, "")
    again = failed(first.after, bad(NOW), Kind.FAILED, "", every=True)

    assert [alert.id for alert in again.owe] == [alert.id for alert in first.owe]


def test_with_every_two_failures_of_one_millisecond_are_two_alerts() -> None:
    first = failed(BACKUP, bad(NOW), Kind.FAILED, "", every=True)
    other = failed(first.after, Entry(NOW, "Failed", "another"), Kind.FAILED, "", every=True)

    assert len({alert.id for alert in first.owe + other.owe}) == 2


def test_a_failure_told_after_a_later_good_run_is_told_with_the_recovery_and_changes_nothing() -> None:
    well = after_good(NOW)
    transition = failed(well, bad(NOW - SECOND), Kind.MISSED, "")

    assert transition.after == well
    assert [(alert.kind, alert.at) for alert in transition.owe] == [(Kind.MISSED, NOW - SECOND), (Kind.RESUMED, NOW)]


def test_a_failure_of_a_disabled_job_alerts_nobody() -> None:
    assert not failed(replace(BACKUP, paused=True), bad(NOW), Kind.FAILED, "").owe
