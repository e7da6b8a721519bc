"""What an update does to a canary."""

from __future__ import annotations

from dataclasses import replace

from coal_mine.domain.alert import LOG, Kind
from coal_mine.domain.canary import Update, updated
from coal_mine.domain.periodicity import Every
from tests.domain.samples import BACKUP, HOUR, LATE_BACKUP, NOW, PAUSED_BACKUP, SECOND, alert


def test_only_the_given_fields_change() -> None:
    transition = updated(BACKUP, Update(name="Web", slug="web"), NOW)

    assert transition.after == replace(BACKUP, name="Web", slug="web")


def test_an_empty_description_is_a_new_description() -> None:
    assert updated(BACKUP, Update(description=""), NOW).after.description == ""


def test_no_addresses_are_new_addresses() -> None:
    assert updated(BACKUP, Update(emails=()), NOW).after.emails == ()


def test_an_update_leaves_no_entry_in_the_history() -> None:
    assert updated(BACKUP, Update(periodicity=Every(60)), NOW).entry is None


def test_a_new_name_moves_no_deadline() -> None:
    assert updated(LATE_BACKUP, Update(name="Web", slug="web"), NOW).changed == {"name", "slug"}


def test_a_new_name_depends_on_nothing_so_that_a_trigger_cannot_disturb_it() -> None:
    assert updated(BACKUP, Update(name="Web", slug="web"), NOW).depends_on == frozenset()


def test_the_same_periodicity_moves_no_deadline() -> None:
    assert updated(BACKUP, Update(periodicity=BACKUP.periodicity), NOW).changed == frozenset()


def test_a_new_periodicity_counts_from_the_newest_event() -> None:
    transition = updated(BACKUP, Update(periodicity=Every(7_200)), NOW)

    assert transition.after.deadline == BACKUP.last_event_at + 2 * HOUR


def test_a_new_periodicity_raises_the_version() -> None:
    assert updated(BACKUP, Update(periodicity=Every(7_200)), NOW).after.version == BACKUP.version + 1


def test_a_periodicity_that_is_already_over_makes_the_canary_late() -> None:
    transition = updated(BACKUP, Update(periodicity=Every(60)), NOW)

    assert transition.after.late
    assert transition.owe == (alert(deadline=BACKUP.last_event_at + 60 * SECOND),)


def test_a_periodicity_that_ends_right_now_makes_the_canary_late() -> None:
    assert updated(BACKUP, Update(periodicity=Every(1_800)), NOW).after.late


def test_a_longer_periodicity_makes_a_late_canary_timely() -> None:
    transition = updated(LATE_BACKUP, Update(periodicity=Every(86_400)), NOW)

    assert not transition.after.late
    assert transition.owe == (alert(kind=Kind.RESUMED, deadline=LATE_BACKUP.last_event_at + 24 * HOUR),)


def test_a_canary_that_stays_late_owes_no_further_alert() -> None:
    transition = updated(LATE_BACKUP, Update(periodicity=Every(60)), NOW)

    assert transition.after.late
    assert transition.owe == ()


def test_a_paused_canary_only_stores_a_new_periodicity() -> None:
    transition = updated(PAUSED_BACKUP, Update(periodicity=Every(60)), NOW)

    assert transition.changed == {"periodicity", "version"}
    assert transition.owe == ()


def test_an_alert_of_an_update_goes_to_the_new_addresses() -> None:
    transition = updated(BACKUP, Update(periodicity=Every(60), emails=("new@example.com",)), NOW)

    assert len(transition.owe) == 1
    assert transition.owe[0].emails == ("new@example.com",)


def test_without_addresses_an_update_that_makes_late_is_told_in_the_log() -> None:
    transition = updated(BACKUP, Update(periodicity=Every(60), emails=()), NOW)

    assert transition.after.late
    assert [alert.receivers for alert in transition.owe] == [(LOG,)]
