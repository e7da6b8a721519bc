from __future__ import annotations

from coal_mine.domain.alert import Alert, Delivery, DeliveryState, Kind, Receiver
from coal_mine.domain.ports import Store
from tests.stores.examples import HOUR, NOW, SECOND, added, added_late, claimed, entry, finished, told


def test_expanding_hands_the_owed_alerts_over(store: Store) -> None:
    one = added_late(store)

    assert store.outbox.expand() == 1
    assert store.canaries.get(one.id).owed == ()
    assert told(claimed(store)) == [(Kind.LATE, one.id)]


def test_there_is_one_delivery_for_each_receiver(store: Store) -> None:
    added_late(store, emails=("a@example.com", "b@example.com"))
    store.outbox.expand()

    assert {each.receiver for each in store.outbox.deliveries(limit=10)} == {
        Receiver("email", "a@example.com"),
        Receiver("email", "b@example.com"),
    }


def test_a_delivery_comes_back_complete(store: Store) -> None:
    one = added_late(store, name="Ñame $x", emails=("é@example.com",))
    store.outbox.expand()
    alert = Alert(kind=Kind.LATE, about=one.id, name="Ñame $x", at=NOW + HOUR, deadline=NOW + HOUR, emails=one.emails)

    assert store.outbox.deliveries(limit=10) == [Delivery(alert=alert, receiver=Receiver("email", "é@example.com"))]


def test_expanding_again_adds_nothing(store: Store) -> None:
    added_late(store)
    store.outbox.expand()

    assert store.outbox.expand() == 0
    assert len(store.outbox.deliveries(limit=10)) == 1


def test_nothing_owed_expands_to_nothing(store: Store) -> None:
    added(store)

    assert store.outbox.expand() == 0
    assert store.outbox.deliveries(limit=10) == []


def test_what_comes_to_be_owed_later_is_expanded_later(store: Store) -> None:
    one = added_late(store)
    store.outbox.expand()
    store.canaries.trigger(one.id, entry(NOW + 2 * HOUR))

    assert store.outbox.expand() == 1
    assert told(claimed(store)) == [(Kind.LATE, one.id), (Kind.RESUMED, one.id)]


def test_deliveries_are_listed_newest_change_first(store: Store) -> None:
    for hours in (2, 1, 3):
        added_late(store, deadline=NOW + hours * HOUR)
        store.outbox.expand()

    assert [each.alert.at for each in store.outbox.deliveries(limit=2)] == [NOW + 3 * HOUR, NOW + 2 * HOUR]


def test_finished_deliveries_are_forgotten_after_a_time(store: Store) -> None:
    added_late(store)
    store.outbox.expand()
    claim = claimed(store)
    assert claim
    assert finished(store, claim, now=NOW + 2 * HOUR)

    assert store.outbox.forget(NOW + 2 * HOUR) == 0
    assert store.outbox.forget(NOW + 2 * HOUR + SECOND) == 1
    assert store.outbox.deliveries(limit=10) == []


def test_waiting_deliveries_are_never_forgotten(store: Store) -> None:
    added_late(store)
    store.outbox.expand()

    assert store.outbox.forget(NOW + 10_000 * HOUR) == 0
    assert [each.state for each in store.outbox.deliveries(limit=10)] == [DeliveryState.WAITING]
