from __future__ import annotations

from coal_mine.domain.alert import Claim, DeliveryState
from coal_mine.domain.ports import Store
from tests.stores.examples import LEASE, MUCH_LATER, SECOND, added_late, claimed, finished

RETRY_AT = MUCH_LATER + 60 * SECOND


def _storm(store: Store, number: int) -> None:
    for _ in range(number):
        added_late(store)
    store.outbox.expand()


def _bound(store: Store, token: str = "digest") -> Claim:
    """The claim of four deliveries as a digest."""
    _storm(store, 4)
    claim = claimed(store, token, digest_above=3)
    assert claim
    return claim


def test_a_few_are_delivered_one_by_one(store: Store) -> None:
    _storm(store, 3)
    claim = claimed(store, digest_above=3)

    assert claim
    assert (claim.batch, len(claim.deliveries)) == (None, 3)


def test_many_are_bound_together_under_the_name_of_the_claim(store: Store) -> None:
    claim = _bound(store, "digest")

    assert (claim.batch, len(claim.deliveries)) == ("digest", 4)


def test_a_digest_is_the_same_at_the_next_try_though_more_is_waiting(store: Store) -> None:
    first = _bound(store)
    store.outbox.release(first, retry_at=RETRY_AT)
    _storm(store, 2)
    second = claimed(store, "second", now=RETRY_AT, digest_above=3)

    assert second
    assert second.batch == "digest"
    assert [each.id for each in second.deliveries] == [each.id for each in first.deliveries]


def test_a_digest_is_the_same_after_a_crash(store: Store) -> None:
    first = _bound(store)
    second = claimed(store, "second", now=MUCH_LATER + LEASE, digest_above=3)

    assert second
    assert (second.batch, second.deliveries) == ("digest", first.deliveries)


def test_a_digest_stays_one_though_the_limit_is_raised(store: Store) -> None:
    _bound(store)
    second = claimed(store, "second", now=MUCH_LATER + LEASE, digest_above=100)

    assert second
    assert (second.batch, len(second.deliveries)) == ("digest", 4)


def test_after_the_digest_comes_what_arrived_meanwhile(store: Store) -> None:
    first = _bound(store)
    _storm(store, 2)
    finished(store, first)
    store.outbox.release(first, retry_at=None)
    second = claimed(store, "second", digest_above=3)

    assert second
    assert (second.batch, len(second.deliveries)) == (None, 2)


def test_a_digest_that_was_delivered_before_a_crash_is_not_repeated(store: Store) -> None:
    first = _bound(store)
    _storm(store, 4)
    finished(store, first)
    second = claimed(store, "second", now=MUCH_LATER + 2 * LEASE, digest_above=3)

    assert second
    assert second.batch == "second"
    assert not {each.id for each in second.deliveries} & {each.id for each in first.deliveries}


def test_all_of_a_digest_is_finished(store: Store) -> None:
    first = _bound(store)
    finished(store, first)

    assert {each.state for each in store.outbox.deliveries(limit=10)} == {DeliveryState.DELIVERED}


def test_a_storm_leaves_in_digests_until_nothing_waits(store: Store) -> None:
    _storm(store, 50)
    told = []
    while claim := claimed(store, f"token {len(told)}", digest_above=20):
        finished(store, claim)
        store.outbox.release(claim, retry_at=None)
        told += [each.id for each in claim.deliveries]

    assert len(told) == len(set(told)) == 50


def test_what_may_have_left_singly_never_leaves_again_inside_a_digest(store: Store) -> None:
    """Its second message would have another id than the first, and nobody could tell the repetition."""
    _storm(store, 2)
    first = claimed(store, "first", digest_above=3)
    assert first
    store.outbox.release(first, retry_at=RETRY_AT)
    _storm(store, 5)
    second = claimed(store, "second", now=RETRY_AT, digest_above=3)
    assert second
    finished(store, second, now=RETRY_AT)
    store.outbox.release(second, retry_at=None)
    third = claimed(store, "third", now=RETRY_AT, digest_above=3)

    assert (second.batch, [each.id for each in second.deliveries]) == (None, [each.id for each in first.deliveries])
    assert third
    assert (third.batch, len(third.deliveries)) == ("third", 5)
