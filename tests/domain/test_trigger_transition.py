"""What a trigger does to a canary."""

from __future__ import annotations

from dataclasses import replace

from coal_mine.domain.alert import LOG, Kind
from coal_mine.domain.canary import triggered
from tests.domain.samples import BACKUP, HOUR, LATE_BACKUP, NOW, PAUSED_BACKUP, SECOND, alert, trigger


def test_a_trigger_sets_the_deadline_to_its_time_plus_the_periodicity() -> None:
    transition, _ = triggered(BACKUP, trigger())

    assert transition.after == replace(BACKUP, deadline=NOW + HOUR, last_event_at=NOW)


def test_a_trigger_adds_its_entry_to_the_history() -> None:
    transition, _ = triggered(BACKUP, trigger())

    assert transition.entry == trigger()


def test_a_trigger_of_a_timely_canary_owes_no_alert() -> None:
    transition, _ = triggered(BACKUP, trigger())

    assert transition.owe == ()


def test_a_trigger_of_a_timely_canary_neither_recovers_nor_unpauses() -> None:
    _, found = triggered(BACKUP, trigger())

    assert (found.recovered, found.unpaused) == (False, False)


def test_a_trigger_makes_a_late_canary_timely() -> None:
    transition, found = triggered(LATE_BACKUP, trigger())

    assert found.recovered
    assert not transition.after.late


def test_a_trigger_of_a_late_canary_owes_a_resumed_alert_with_the_next_deadline() -> None:
    transition, _ = triggered(LATE_BACKUP, trigger())

    assert transition.owe == (alert(kind=Kind.RESUMED, deadline=NOW + HOUR),)


def test_a_late_canary_without_addresses_owes_its_alert_to_the_log() -> None:
    transition, found = triggered(replace(LATE_BACKUP, emails=()), trigger())

    assert found.recovered
    assert [alert.receivers for alert in transition.owe] == [(LOG,)]


def test_a_trigger_unpauses_a_paused_canary() -> None:
    transition, found = triggered(PAUSED_BACKUP, trigger())

    assert found.unpaused
    assert transition.after == replace(BACKUP, deadline=NOW + HOUR, last_event_at=NOW)


def test_a_trigger_of_a_canary_that_an_old_store_holds_as_late_and_paused_recovers_it() -> None:
    transition, found = triggered(replace(PAUSED_BACKUP, late=True), trigger())

    assert (found.recovered, found.unpaused) == (True, True)
    assert len(transition.owe) == 1


def test_a_trigger_older_than_the_newest_event_only_enters_the_history() -> None:
    transition, found = triggered(BACKUP, trigger(BACKUP.last_event_at - SECOND))

    assert transition.changed == frozenset()
    assert transition.entry is not None
    assert not found.recovered


def test_a_trigger_at_the_time_of_the_newest_event_counts() -> None:
    _, found = triggered(replace(PAUSED_BACKUP, last_event_at=NOW), trigger())

    assert found.unpaused


def test_a_trigger_at_the_deadline_is_too_late_to_withdraw_an_alert() -> None:
    undelivered = alert(deadline=LATE_BACKUP.deadline)
    transition, found = triggered(replace(LATE_BACKUP, owed=(undelivered,)), trigger(NOW - HOUR))

    assert found.recovered
    assert transition.withdraw is None


def test_a_trigger_that_came_in_time_withdraws_a_late_alert_that_nobody_got() -> None:
    undelivered = alert(deadline=LATE_BACKUP.deadline)
    transition, found = triggered(replace(LATE_BACKUP, owed=(undelivered,)), trigger(NOW - HOUR - SECOND))

    assert not found.recovered
    assert (transition.withdraw, transition.owe) == (undelivered, ())


def test_a_trigger_that_came_in_time_resumes_when_the_late_alert_has_left() -> None:
    transition, found = triggered(LATE_BACKUP, trigger(NOW - HOUR - SECOND))

    assert found.recovered
    assert transition.withdraw is None
    assert len(transition.owe) == 1


def test_a_trigger_that_came_in_time_does_not_withdraw_the_alert_of_an_earlier_lateness() -> None:
    earlier = alert(deadline=NOW - 3 * HOUR)
    transition, found = triggered(replace(LATE_BACKUP, owed=(earlier,)), trigger(NOW - HOUR - SECOND))

    assert found.recovered
    assert transition.withdraw is None


def test_a_trigger_depends_on_all_that_it_was_computed_from() -> None:
    transition, _ = triggered(BACKUP, trigger())

    assert transition.depends_on == {"late", "cause", "paused", "version", "last_event_at"}


def test_a_trigger_after_a_deadline_that_nobody_has_looked_at_owes_both_alerts() -> None:
    """The watcher may have been dead: that the canary was late must be told all the same."""
    unseen = replace(BACKUP, deadline=NOW - SECOND)
    transition, found = triggered(unseen, trigger())

    assert found.recovered
    assert transition.owe == (alert(deadline=NOW - SECOND), alert(kind=Kind.RESUMED, deadline=NOW + HOUR))


def test_a_repeated_trigger_does_not_end_a_lateness_that_began_after_it() -> None:
    late_again = replace(LATE_BACKUP, last_event_at=NOW - 2 * HOUR, deadline=NOW - HOUR, owed=(alert(deadline=NOW - HOUR),))
    transition, found = triggered(late_again, trigger(NOW - 2 * HOUR))

    assert not found.recovered
    assert transition.after == late_again
