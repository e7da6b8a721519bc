from __future__ import annotations

from coal_mine.domain.alert import Kind, Receiver
from coal_mine.domain.ports import Store
from tests.stores.examples import (
    HOUR,
    LEASE,
    MILLISECOND,
    MUCH_LATER,
    NOW,
    SECOND,
    added,
    added_late,
    claimed,
    entry,
    finished,
    told,
)


def _waiting(store: Store, *addresses: str) -> None:
    """One delivery waits for each address, one second after the other."""
    for number, address in enumerate(addresses):
        added_late(store, emails=(address,), deadline=NOW + HOUR + number * SECOND)
    store.outbox.expand()


def test_nothing_waiting_is_no_claim(store: Store) -> None:
    assert claimed(store) is None


def test_a_claim_is_complete(store: Store) -> None:
    _waiting(store, "jo@example.com")
    claim = claimed(store, "a token")

    assert claim
    assert (claim.receiver, claim.token, claim.attempts, claim.batch) == (Receiver("email", "jo@example.com"), "a token", 0, None)
    assert claim.deliveries == tuple(store.outbox.deliveries(limit=10))


def test_a_claimed_receiver_is_not_claimed_again(store: Store) -> None:
    _waiting(store, "jo@example.com")
    claimed(store, "first")

    assert claimed(store, "second") is None


def test_another_receiver_is(store: Store) -> None:
    _waiting(store, "jo@example.com", "al@example.com")
    claimed(store, "first")
    second = claimed(store, "second")

    assert second
    assert second.receiver.address == "al@example.com"


def test_the_receiver_that_has_waited_longest_is_served_first(store: Store) -> None:
    _waiting(store, "b@example.com", "a@example.com", "c@example.com")
    claims = [claimed(store, token) for token in ("first", "second", "third")]

    assert [claim.receiver.address for claim in claims if claim] == ["b@example.com", "a@example.com", "c@example.com"]


def test_a_claim_has_the_oldest_change_first(store: Store) -> None:
    late = [added_late(store, deadline=NOW + hours * HOUR) for hours in (3, 1, 2)]
    store.outbox.expand()

    assert [canary_id for _, canary_id in told(claimed(store))] == [late[1].id, late[2].id, late[0].id]


def test_late_reaches_people_before_resumed_even_when_the_trigger_is_older_than_the_marking(store: Store) -> None:
    one = added(store)
    store.canaries.mark_late(NOW + HOUR + SECOND)  # the watcher was a second late
    store.canaries.trigger(one.id, entry(NOW + HOUR + MILLISECOND))
    store.outbox.expand()

    assert told(claimed(store)) == [(Kind.LATE, one.id), (Kind.RESUMED, one.id)]


def test_that_order_also_holds_when_late_was_expanded_before(store: Store) -> None:
    one = added(store)
    store.canaries.mark_late(NOW + HOUR + SECOND)
    store.outbox.expand()
    store.canaries.trigger(one.id, entry(NOW + HOUR + MILLISECOND))
    store.outbox.expand()

    assert told(claimed(store)) == [(Kind.LATE, one.id), (Kind.RESUMED, one.id)]


def test_after_the_lease_anybody_may_claim_the_same_again(store: Store) -> None:
    _waiting(store, "jo@example.com")
    first = claimed(store, "first")

    assert claimed(store, "second", now=MUCH_LATER + LEASE - MILLISECOND) is None
    second = claimed(store, "second", now=MUCH_LATER + LEASE)
    assert first
    assert second
    assert second.deliveries == first.deliveries


def test_what_is_released_untouched_may_be_claimed_at_once(store: Store) -> None:
    _waiting(store, "jo@example.com")
    first = claimed(store, "first")
    assert first
    store.outbox.release(first, retry_at=None)

    assert told(claimed(store, "second")) == told(first)


def test_what_is_finished_is_not_claimed_again(store: Store) -> None:
    _waiting(store, "jo@example.com")
    claim = claimed(store)
    assert claim
    finished(store, claim)
    store.outbox.release(claim, retry_at=None)

    assert claimed(store, "second") is None


def test_what_is_finished_is_not_claimed_again_by_who_takes_over_after_a_crash(store: Store) -> None:
    _waiting(store, "jo@example.com")
    claim = claimed(store)
    assert claim
    finished(store, claim)

    assert claimed(store, "second", now=MUCH_LATER + 2 * LEASE) is None


def test_what_was_not_finished_is_left_for_the_next(store: Store) -> None:
    _waiting(store, "jo@example.com", "jo@example.com")
    claim = claimed(store)
    assert claim
    finished(store, claim, claim.deliveries[:1])
    store.outbox.release(claim, retry_at=None)
    second = claimed(store, "second")

    assert second
    assert second.deliveries == claim.deliveries[1:]


def test_what_comes_during_a_claim_is_claimed_after_it(store: Store) -> None:
    _waiting(store, "jo@example.com")
    claim = claimed(store)
    assert claim
    finished(store, claim)
    newcomer = added_late(store)
    store.outbox.expand()
    store.outbox.release(claim, retry_at=None)

    assert told(claimed(store, "second")) == [(Kind.LATE, newcomer.id)]


def test_what_comes_during_a_claim_does_not_break_it(store: Store) -> None:
    _waiting(store, "jo@example.com")
    claimed(store)
    added_late(store)
    store.outbox.expand()

    assert claimed(store, "second") is None


def test_a_receiver_that_was_idle_is_served_again(store: Store) -> None:
    _waiting(store, "jo@example.com")
    claim = claimed(store)
    assert claim
    finished(store, claim)
    store.outbox.release(claim, retry_at=None)
    newcomer = added_late(store)
    store.outbox.expand()

    assert told(claimed(store, "second")) == [(Kind.LATE, newcomer.id)]
