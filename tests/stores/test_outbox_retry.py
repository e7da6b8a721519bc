from __future__ import annotations

import pytest

from coal_mine.domain.alert import Claim, DeliveryState
from coal_mine.domain.ports import Store
from tests.stores.examples import HOUR, LEASE, MILLISECOND, MUCH_LATER, SECOND, added_late, claimed, finished, next_attempt

RETRY_AT = MUCH_LATER + 60 * SECOND


def _failed(store: Store, error: str = "no answer") -> Claim:
    """A delivery was tried and is to be tried again at RETRY_AT."""
    added_late(store)
    store.outbox.expand()
    claim = claimed(store)
    assert claim
    store.outbox.release(claim, retry_at=RETRY_AT, error=error)
    return claim


def test_a_receiver_is_left_alone_until_the_next_try(store: Store) -> None:
    first = _failed(store)

    assert claimed(store, "second", now=RETRY_AT - MILLISECOND) is None
    second = claimed(store, "second", now=RETRY_AT)
    assert second
    assert second.deliveries[0].id == first.deliveries[0].id


def test_a_new_alert_does_not_cut_the_wait_short(store: Store) -> None:
    _failed(store)
    added_late(store)
    store.outbox.expand()

    assert claimed(store, "second", now=RETRY_AT - MILLISECOND) is None


def test_failed_tries_are_counted(store: Store) -> None:
    _failed(store)
    second = claimed(store, "second", now=RETRY_AT)

    assert second
    assert second.attempts == 1
    store.outbox.release(second, retry_at=RETRY_AT + SECOND)
    third = claimed(store, "third", now=RETRY_AT + SECOND)
    assert third
    assert third.attempts == 2


def test_a_success_ends_the_count(store: Store) -> None:
    _failed(store)
    second = claimed(store, "second", now=RETRY_AT)
    assert second
    finished(store, second, now=RETRY_AT)
    store.outbox.release(second, retry_at=None)
    added_late(store)
    store.outbox.expand()
    third = claimed(store, "third", now=RETRY_AT)

    assert third
    assert third.attempts == 0


def test_the_last_error_is_shown_while_a_delivery_waits(store: Store) -> None:
    _failed(store, "connection refused")
    (delivery,) = store.outbox.deliveries(limit=10)

    assert (delivery.state, delivery.error) == (DeliveryState.WAITING, "connection refused")


def test_the_error_is_gone_after_the_success(store: Store) -> None:
    _failed(store, "connection refused")
    second = claimed(store, "second", now=RETRY_AT)
    assert second
    finished(store, second, now=RETRY_AT)
    (delivery,) = store.outbox.deliveries(limit=10)

    assert (delivery.state, delivery.error, delivery.finished_at) == (DeliveryState.DELIVERED, "", RETRY_AT)


def test_a_refusal_is_shown_with_its_reason(store: Store) -> None:
    added_late(store)
    store.outbox.expand()
    claim = claimed(store)
    assert claim
    finished(store, claim, state=DeliveryState.REFUSED, error="550 no such user")
    (delivery,) = store.outbox.deliveries(limit=10)

    assert (delivery.state, delivery.error, delivery.finished_at) == (DeliveryState.REFUSED, "550 no such user", MUCH_LATER)


def test_finishing_prolongs_the_lease(store: Store) -> None:
    for _ in range(2):
        added_late(store)
    store.outbox.expand()
    claim = claimed(store)
    assert claim
    finished(store, claim, claim.deliveries[:1], now=MUCH_LATER + LEASE / 2)

    assert claimed(store, "second", now=MUCH_LATER + LEASE) is None
    assert claimed(store, "second", now=MUCH_LATER + LEASE * 1.5)


def test_a_lost_claim_refuses_nothing(store: Store) -> None:
    added_late(store)
    store.outbox.expand()
    lost = claimed(store, "first")
    claimed(store, "second", now=MUCH_LATER + LEASE)

    assert lost
    assert not finished(store, lost, now=MUCH_LATER + LEASE, state=DeliveryState.REFUSED, error="550 no such user")
    assert [each.state for each in store.outbox.deliveries(limit=10)] == [DeliveryState.WAITING]


@pytest.mark.parametrize("digest_above", [1, 10], ids=["digest", "single mails"])
def test_what_was_taken_under_a_lost_claim_is_not_sent_again(store: Store, digest_above: int) -> None:
    """A mail server that needs longer than a lease would get it again and again."""
    for _ in range(2):
        added_late(store)
    store.outbox.expand()
    lost = claimed(store, "first", digest_above=digest_above)
    claimed(store, "second", now=MUCH_LATER + LEASE, digest_above=digest_above)
    assert lost
    was_held = finished(store, lost, now=MUCH_LATER + LEASE)

    assert not was_held
    assert claimed(store, "third", now=MUCH_LATER + 2 * LEASE, digest_above=digest_above) is None
    assert [each.state for each in store.outbox.deliveries(limit=10)] == [DeliveryState.DELIVERED] * 2


def test_a_lost_claim_does_not_prolong_the_lease_of_who_has_it_now(store: Store) -> None:
    for _ in range(2):
        added_late(store)
    store.outbox.expand()
    lost = claimed(store, "first")
    claimed(store, "second", now=MUCH_LATER + LEASE)
    assert lost
    finished(store, lost, lost.deliveries[:1], now=MUCH_LATER + 1.5 * LEASE)
    third = claimed(store, "third", now=MUCH_LATER + 2 * LEASE)

    assert third
    assert third.deliveries == lost.deliveries[1:]


def test_releasing_a_lost_claim_has_no_effect(store: Store) -> None:
    added_late(store)
    store.outbox.expand()
    lost = claimed(store, "first")
    held = claimed(store, "second", now=MUCH_LATER + LEASE)
    assert lost
    assert held
    store.outbox.release(lost, retry_at=None)
    store.outbox.release(lost, retry_at=MUCH_LATER + HOUR, error="late")

    assert claimed(store, "third", now=MUCH_LATER + LEASE) is None
    assert finished(store, held, now=MUCH_LATER + LEASE)


def test_with_nothing_waiting_there_is_no_next_attempt(store: Store) -> None:
    assert next_attempt(store, MUCH_LATER) is None


def test_what_waits_can_be_tried_now(store: Store) -> None:
    added_late(store)
    store.outbox.expand()

    assert next_attempt(store, MUCH_LATER) == MUCH_LATER


def test_after_a_failure_the_next_attempt_is_the_retry(store: Store) -> None:
    _failed(store)

    assert next_attempt(store, MUCH_LATER) == RETRY_AT
    assert next_attempt(store, RETRY_AT + SECOND) == RETRY_AT + SECOND


def test_during_a_claim_the_next_attempt_is_the_end_of_its_lease(store: Store) -> None:
    added_late(store)
    store.outbox.expand()
    claimed(store)

    assert next_attempt(store, MUCH_LATER) == MUCH_LATER + LEASE


def test_when_all_is_delivered_there_is_no_next_attempt(store: Store) -> None:
    added_late(store)
    store.outbox.expand()
    claim = claimed(store)
    assert claim
    finished(store, claim)
    store.outbox.release(claim, retry_at=None)

    assert next_attempt(store, MUCH_LATER) is None


def test_a_failure_after_a_success_in_the_same_claim_is_the_first_again(store: Store) -> None:
    _failed(store)
    added_late(store)
    store.outbox.expand()
    second = claimed(store, "second", now=RETRY_AT)
    assert second
    finished(store, second, second.deliveries[:1], now=RETRY_AT)
    store.outbox.release(second, retry_at=RETRY_AT + SECOND)
    third = claimed(store, "third", now=RETRY_AT + SECOND)

    assert third
    assert third.attempts == 1
