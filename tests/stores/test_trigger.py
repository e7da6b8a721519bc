from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from coal_mine.domain.alert import LOG, Kind
from coal_mine.domain.canary import ORDINARY, Triggered, Update, updated
from coal_mine.domain.errors import NotFound
from coal_mine.domain.periodicity import Every, InWindows, OnSchedule
from coal_mine.domain.ports import Store
from tests.stores.examples import HOUR, MILLISECOND, NOW, SECOND, added, added_late, added_paused, entry, texts


def test_a_trigger_moves_the_deadline(store: Store) -> None:
    one = added(store)
    store.canaries.trigger(one.id, entry(NOW + SECOND))
    found = store.canaries.get(one.id)

    assert found == replace(one, deadline=NOW + SECOND + HOUR, last_event_at=NOW + SECOND)


def test_a_trigger_of_a_timely_canary_recovers_nothing(store: Store) -> None:
    one = added(store)

    assert store.canaries.trigger(one.id, entry()) == ORDINARY


def test_a_trigger_enters_the_history(store: Store) -> None:
    one = added(store)
    store.canaries.trigger(one.id, entry(NOW + SECOND, "Triggered (backup done)"))

    assert texts(store, one.id) == ["Triggered (backup done)", "Canary created"]


def test_a_trigger_of_an_unknown_canary_is_refused(store: Store) -> None:
    with pytest.raises(NotFound):
        store.canaries.trigger("nosuchid", entry())


def test_a_refused_trigger_leaves_no_history(store: Store) -> None:
    with pytest.raises(NotFound):
        store.canaries.trigger("nosuchid", entry())

    assert store.canaries.history("nosuchid", limit=10) == []


def test_a_trigger_of_a_deleted_canary_that_was_triggered_before_is_refused(store: Store) -> None:
    one = added(store)
    store.canaries.trigger(one.id, entry())
    store.canaries.remove(one.id)

    with pytest.raises(NotFound):
        store.canaries.trigger(one.id, entry())

    assert store.canaries.history(one.id, limit=10) == []


def test_a_trigger_of_a_late_canary_recovers_it(store: Store) -> None:
    one = added_late(store)
    found = store.canaries.trigger(one.id, entry(NOW + 2 * HOUR))

    assert found == Triggered(recovered=True, unpaused=False)
    assert not store.canaries.get(one.id).late


def test_a_recovery_owes_resumed_after_late(store: Store) -> None:
    one = added_late(store)
    store.canaries.trigger(one.id, entry(NOW + 2 * HOUR))
    owed = store.canaries.get(one.id).owed

    assert [(alert.kind, alert.at) for alert in owed] == [(Kind.LATE, NOW + HOUR), (Kind.RESUMED, NOW + 2 * HOUR)]
    assert owed[1].deadline == NOW + 3 * HOUR
    assert owed[1].emails == one.emails


def test_a_recovery_of_a_canary_without_addresses_is_told_in_the_log(store: Store) -> None:
    one = added_late(store, emails=())
    store.canaries.trigger(one.id, entry(NOW + 2 * HOUR))
    owed = store.canaries.get(one.id).owed

    assert [(alert.kind, alert.receivers) for alert in owed] == [(Kind.LATE, (LOG,)), (Kind.RESUMED, (LOG,))]


def test_a_trigger_of_a_paused_canary_unpauses_it(store: Store) -> None:
    one = added_paused(store)
    found = store.canaries.trigger(one.id, entry(NOW + HOUR))
    after = store.canaries.get(one.id)

    assert found == Triggered(recovered=False, unpaused=True)
    assert (after.paused, after.deadline) == (False, NOW + 2 * HOUR)


def test_a_trigger_that_arrived_in_time_withdraws_the_late_alert_that_nobody_got(store: Store) -> None:
    one = added_late(store)
    found = store.canaries.trigger(one.id, entry(NOW + HOUR - MILLISECOND))
    after = store.canaries.get(one.id)

    assert found == ORDINARY
    assert (after.late, after.owed) == (False, ())


def test_a_trigger_that_arrived_in_time_after_the_late_alert_has_left_recovers(store: Store) -> None:
    one = added_late(store)
    store.outbox.expand()
    found = store.canaries.trigger(one.id, entry(NOW + HOUR - MILLISECOND))

    assert found.recovered
    assert [alert.kind for alert in store.canaries.get(one.id).owed] == [Kind.RESUMED]


def test_an_older_trigger_does_not_move_the_deadline_back(store: Store) -> None:
    one = added(store)
    store.canaries.trigger(one.id, entry(NOW + 2 * SECOND))
    newer = store.canaries.get(one.id)
    store.canaries.trigger(one.id, entry(NOW + SECOND, "Triggered (slow)"))

    assert store.canaries.get(one.id) == newer
    assert texts(store, one.id) == ["Triggered", "Triggered (slow)", "Canary created"]


def test_a_trigger_older_than_a_pause_does_not_unpause(store: Store) -> None:
    one = added_paused(store)
    found = store.canaries.trigger(one.id, entry(one.last_event_at - MILLISECOND))

    assert found == ORDINARY
    assert store.canaries.get(one.id).paused


def test_repeating_a_trigger_changes_nothing(store: Store) -> None:
    one = added_late(store)
    same = entry(NOW + 2 * HOUR)
    store.canaries.trigger(one.id, same)
    once = store.canaries.get(one.id), store.canaries.history(one.id, limit=10)
    store.canaries.trigger(one.id, same)

    assert (store.canaries.get(one.id), store.canaries.history(one.id, limit=10)) == once


def test_a_new_periodicity_counts_from_the_next_trigger_on(store: Store) -> None:
    one = added(store)
    store.canaries.trigger(one.id, entry(NOW))  # a store may remember the periodicity from here on
    assert store.canaries.apply(updated(store.canaries.get(one.id), Update(periodicity=Every(60)), NOW))
    store.canaries.trigger(one.id, entry(NOW + SECOND))

    assert store.canaries.get(one.id).deadline == NOW + 61 * SECOND


def test_windows_decide_the_deadline(store: Store) -> None:
    one = added(store, periodicity=InWindows("* 13-23 * * * 600"))
    store.canaries.trigger(one.id, entry(NOW + SECOND))

    assert store.canaries.get(one.id).deadline == datetime(2026, 11, 22, 13, 10, tzinfo=UTC)


def test_a_schedule_decides_the_deadline(store: Store) -> None:
    one = added(store, periodicity=OnSchedule("0 2 * * *", 1800, "Europe/Paris"))
    store.canaries.trigger(one.id, entry(NOW + SECOND))

    assert store.canaries.get(one.id).deadline == datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def test_a_trigger_after_a_deadline_that_nobody_has_looked_at_owes_late_and_resumed(store: Store) -> None:
    one = added(store)
    found = store.canaries.trigger(one.id, entry(NOW + 5 * HOUR))
    owed = store.canaries.get(one.id).owed

    assert found.recovered
    assert [(alert.kind, alert.deadline) for alert in owed] == [(Kind.LATE, NOW + HOUR), (Kind.RESUMED, NOW + 6 * HOUR)]


def test_a_trigger_at_the_very_deadline_comes_too_late(store: Store) -> None:
    one = added(store)

    assert store.canaries.trigger(one.id, entry(NOW + HOUR)).recovered


def test_a_repeated_trigger_does_not_end_a_lateness_that_began_after_it(store: Store) -> None:
    one = added(store)
    repeated = entry(NOW + SECOND)
    store.canaries.trigger(one.id, repeated)
    store.canaries.mark_late(NOW + 2 * HOUR)
    again = store.canaries.trigger(one.id, repeated)
    found = store.canaries.get(one.id)

    assert not again.recovered
    assert (found.late, [alert.kind for alert in found.owed]) == (True, [Kind.LATE])
