"""Alerts that concern a server: no canary owes them, and they are claimed by their own channel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from coal_mine.domain.alert import OPERATORS, Alert, Kind, Receiver
from coal_mine.domain.ports import Store
from tests.stores.examples import MUCH_LATER, NOW, SECOND, added_late, at_once, claimed, finished, told

OPS = (OPERATORS,)


def stopped(**values: Any) -> Alert:
    facts: dict[str, Any] = {
        "kind": Kind.STOPPED,
        "about": "alpha|4711|n1",
        "name": "background process 4711 on alpha",
        "at": NOW,
        "deadline": None,
        "emails": ("ops@example.com",),
        "channel": OPERATORS,
    }
    return Alert(**facts | values)


def next_attempt(store: Store, now: datetime) -> datetime | None:
    return store.outbox.next_attempt(now, OPS)


def test_an_added_alert_comes_back_as_it_was(store: Store) -> None:
    store.outbox.add([stopped()])
    claim = claimed(store, channels=OPS)

    assert claim
    assert claim.receiver == Receiver(OPERATORS, "ops@example.com")
    assert [delivery.alert for delivery in claim.deliveries] == [stopped()]


def test_two_alerts_of_one_moment_are_told_apart_by_their_events(store: Store) -> None:
    one, other = stopped(detail="why", event="one"), stopped(event="other")
    store.outbox.add([one, other, one])
    claim = claimed(store, channels=OPS)

    assert claim
    assert [delivery.alert for delivery in claim.deliveries] == [one, other]


def test_each_operator_gets_a_delivery(store: Store) -> None:
    store.outbox.add([stopped(emails=("ops@example.com", "jo@example.com"))])

    assert {delivery.receiver.address for delivery in store.outbox.deliveries(limit=10)} == {"ops@example.com", "jo@example.com"}


def test_adding_without_operators_adds_nothing(store: Store) -> None:
    store.outbox.add([stopped(emails=())])

    assert store.outbox.deliveries(limit=10) == []


def test_of_an_alert_that_is_added_again_the_first_one_stands(store: Store) -> None:
    store.outbox.add([stopped()])
    store.outbox.add([stopped(detail="what somebody else says")])

    assert [delivery.alert for delivery in store.outbox.deliveries(limit=10)] == [stopped()]


def test_an_alert_that_many_add_at_once_is_one_delivery(store: Store) -> None:
    results = at_once([lambda: store.outbox.add([stopped()])] * 8)

    assert results == [None] * 8
    assert len(store.outbox.deliveries(limit=10)) == 1


def test_an_alert_that_is_added_again_after_its_delivery_is_not_delivered_again(store: Store) -> None:
    store.outbox.add([stopped()])
    claim = claimed(store, channels=OPS)
    assert claim
    finished(store, claim)
    store.outbox.release(claim, retry_at=None)
    store.outbox.add([stopped()])

    assert claimed(store, "second", channels=OPS) is None
    assert next_attempt(store, MUCH_LATER) is None


def test_stopped_reaches_an_operator_before_resumed(store: Store) -> None:
    store.outbox.add([stopped()])
    store.outbox.add([stopped(kind=Kind.RESUMED, at=NOW + SECOND)])

    assert [kind for kind, _ in told(claimed(store, channels=OPS))] == [Kind.STOPPED, Kind.RESUMED]


def test_who_serves_other_channels_is_not_given_the_operators(store: Store) -> None:
    store.outbox.add([stopped()])

    assert claimed(store) is None
    assert store.outbox.next_attempt(MUCH_LATER, ("email", "log")) is None


def test_who_serves_the_operators_is_not_given_the_other_channels(store: Store) -> None:
    added_late(store)
    store.outbox.expand()

    assert claimed(store, channels=OPS) is None
    assert next_attempt(store, MUCH_LATER) is None


def test_an_operator_is_served_while_a_storm_for_the_same_address_is_being_delivered(store: Store) -> None:
    for _ in range(25):
        added_late(store, emails=("ops@example.com",))
    store.outbox.expand()
    storm = claimed(store, "storm")
    store.outbox.add([stopped()])
    claim = claimed(store, channels=OPS)

    assert storm
    assert len(storm.deliveries) == 25
    assert claim
    assert (claim.batch, len(claim.deliveries)) == (None, 1)
