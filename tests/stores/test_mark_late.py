from __future__ import annotations

from dataclasses import replace

from coal_mine.domain.alert import LOG, Alert, Kind
from coal_mine.domain.canary import paused
from coal_mine.domain.ports import Store
from tests.stores.examples import HOUR, MILLISECOND, MUCH_LATER, NOW, SECOND, added, added_late, added_paused, claimed, entry


def test_a_canary_is_late_from_its_deadline_on(store: Store) -> None:
    one = added(store)

    assert store.canaries.mark_late(NOW + HOUR - MILLISECOND) == 0
    assert store.canaries.mark_late(NOW + HOUR) == 1
    assert store.canaries.get(one.id).late


def test_marking_late_changes_nothing_else(store: Store) -> None:
    one = added(store)
    store.canaries.mark_late(NOW + HOUR)

    assert replace(store.canaries.get(one.id), late=False, owed=()) == one


def test_a_late_canary_owes_its_alert(store: Store) -> None:
    one = added(store, name="$name ☃", emails=("b@example.com", "a@example.com"))
    store.canaries.mark_late(NOW + HOUR + SECOND)
    expected = Alert(kind=Kind.LATE, about=one.id, name=one.name, at=NOW + HOUR + SECOND, deadline=NOW + HOUR, emails=one.emails)

    assert store.canaries.get(one.id).owed == (expected,)


def test_a_late_canary_without_addresses_is_told_in_the_log(store: Store) -> None:
    one = added_late(store, emails=())
    store.outbox.expand()
    claim = claimed(store)

    assert one.late
    assert claim
    assert (claim.receiver, [delivery.alert.about for delivery in claim.deliveries]) == (LOG, [one.id])


def test_a_late_canary_is_not_marked_again(store: Store) -> None:
    one = added_late(store)

    assert store.canaries.mark_late(MUCH_LATER) == 0
    assert len(store.canaries.get(one.id).owed) == 1


def test_a_paused_canary_is_never_late(store: Store) -> None:
    added_paused(store)

    assert store.canaries.mark_late(MUCH_LATER) == 0


def test_all_that_are_due_are_marked_together(store: Store) -> None:
    due = [added(store) for _ in range(20)]
    added(store, deadline=NOW + 2 * HOUR)

    assert store.canaries.mark_late(NOW + HOUR) == len(due)


def test_pausing_a_late_canary_withdraws_nothing(store: Store) -> None:
    one = added_late(store)
    store.canaries.apply(paused(one, entry(NOW + 2 * HOUR, "Paused")))
    found = store.canaries.get(one.id)

    assert (found.late, found.owed) == (False, one.owed)


def test_the_next_deadline_is_the_earliest(store: Store) -> None:
    added(store, deadline=NOW + 2 * HOUR)
    added(store, deadline=NOW + HOUR)
    added(store, deadline=NOW + 3 * HOUR)

    assert store.canaries.next_deadline() == NOW + HOUR


def test_late_and_paused_canaries_have_no_next_deadline(store: Store) -> None:
    added_late(store)
    added_paused(store)

    assert store.canaries.next_deadline() is None


def test_an_empty_store_has_no_next_deadline(store: Store) -> None:
    assert store.canaries.next_deadline() is None


def test_the_alert_that_the_watcher_owes_and_the_one_of_an_update_are_alike(store: Store) -> None:
    one = added_late(store)

    assert one.owed[0].id == f"{one.id}|LATE|{int((NOW + HOUR).timestamp() * 1000)}"
