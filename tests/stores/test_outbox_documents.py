"""Deliveries of which no record is kept, and that are bound to no others."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from coal_mine.domain.alert import ELASTICSEARCH, Alert, Claim, Delivery, DeliveryState, Kind
from coal_mine.domain.ports import Store
from tests.stores.examples import LEASE, MILLISECOND, MUCH_LATER, NOW, SECOND, at_once, claimed

CHANNELS = (ELASTICSEARCH.channel,)


def owe(store: Store, *numbers: int) -> None:
    """One for each number, of as many seconds after NOW."""
    store.outbox.add([_owed(number) for number in numbers])


def _owed(number: int) -> Alert:
    return Alert(
        kind=Kind.ENDED, about=f"run-{number}", name="Backup", at=NOW + number * SECOND, deadline=None, emails=(ELASTICSEARCH.address,),
        channel=ELASTICSEARCH.channel,
    )  # fmt: skip


def oldest(
    store: Store, token: str = "first", *, now: datetime = MUCH_LATER, limit: int = 10, after: Delivery | None = None
) -> Claim | None:
    return store.outbox.claim_oldest(ELASTICSEARCH, now=now, lease=LEASE, token=token, limit=limit, after=after)


def discard(store: Store, claim: Claim, count: int = 10) -> bool:
    return store.outbox.discard(claim, claim.deliveries[:count], now=MUCH_LATER, lease=LEASE)


def about(claim: Claim | None) -> list[str]:
    return [delivery.alert.about for delivery in claim.deliveries] if claim else []


def left(store: Store) -> list[str]:
    """What is there at all, the newest first."""
    return [delivery.alert.about for delivery in store.outbox.deliveries(limit=100)]


def test_the_oldest_are_claimed_in_order(store: Store) -> None:
    owe(store, 1, 2, 3)

    assert about(oldest(store, limit=2)) == ["run-1", "run-2"]


def released(store: Store, limit: int) -> Delivery:
    """The last of those that were claimed and given back."""
    claim = oldest(store, "before", limit=limit)
    assert claim
    store.outbox.release(claim, retry_at=None)
    return claim.deliveries[-1]


def test_those_behind_another_one_are_claimed_in_order(store: Store) -> None:
    owe(store, 1, 2, 3, 4)

    assert about(oldest(store, limit=2, after=released(store, 1))) == ["run-2", "run-3"]


def test_of_one_moment_those_behind_another_one_are_claimed(store: Store) -> None:
    store.outbox.add([replace(_owed(1), about=f"run-{name}") for name in "abc"])

    assert about(oldest(store, after=released(store, 2))) == ["run-c"]


def test_behind_the_last_one_the_oldest_are_claimed_again(store: Store) -> None:
    owe(store, 1, 2)

    assert about(oldest(store, after=released(store, 2))) == ["run-1", "run-2"]


def test_behind_one_that_is_gone_the_oldest_are_claimed(store: Store) -> None:
    owe(store, 1, 2, 3)
    last = released(store, 2)
    store.outbox.give_up(ELASTICSEARCH, NOW + 3 * SECOND, limit=10)

    assert about(oldest(store, after=last)) == ["run-3"]


def test_a_claimed_receiver_is_nobody_elses_until_the_lease_ends(store: Store) -> None:
    owe(store, 1)
    oldest(store)

    assert oldest(store, "second", now=MUCH_LATER + LEASE - MILLISECOND) is None
    assert about(oldest(store, "second", now=MUCH_LATER + LEASE)) == ["run-1"]


def test_of_several_who_claim_at_once_one_has_it(store: Store) -> None:
    owe(store, 1)
    claims = at_once([lambda token=f"t{number}": oldest(store, token) for number in range(8)])  # type: ignore[misc]

    assert sorted(map(about, claims)) == [[]] * 7 + [["run-1"]]


def test_nobody_else_is_claimed(store: Store) -> None:
    store.outbox.add([Alert(kind=Kind.LATE, about="a", name="A", at=NOW, deadline=None, emails=("jo@example.com",))])

    assert oldest(store) is None


def test_what_failed_comes_again_with_what_is_new(store: Store) -> None:
    owe(store, 1)
    claim = oldest(store)
    assert claim
    store.outbox.release(claim, retry_at=MUCH_LATER + SECOND, error="no answer")
    owe(store, 2)

    assert oldest(store, now=MUCH_LATER) is None
    again = oldest(store, "second", now=MUCH_LATER + SECOND)
    assert again
    assert (about(again), again.attempts) == (["run-1", "run-2"], 1)


def test_what_is_discarded_leaves_nothing_behind(store: Store) -> None:
    owe(store, 1, 2)
    claim = oldest(store)
    assert claim

    assert discard(store, claim, 1)
    assert left(store) == ["run-2"]


def test_discarding_ends_the_count_of_failures(store: Store) -> None:
    owe(store, 1, 2)
    claim = oldest(store)
    assert claim
    store.outbox.release(claim, retry_at=MUCH_LATER, error="no answer")
    second = oldest(store, "second")
    assert second
    discard(store, second, 1)
    store.outbox.release(second, retry_at=None)
    third = oldest(store, "third")

    assert third
    assert (about(third), third.attempts) == (["run-2"], 0)


def test_discarding_says_when_the_claim_has_passed_on(store: Store) -> None:
    owe(store, 1)
    claim = oldest(store)
    oldest(store, "second", now=MUCH_LATER + LEASE)

    assert claim
    assert not discard(store, claim)
    assert left(store) == []


def test_when_all_is_discarded_nothing_is_due(store: Store) -> None:
    owe(store, 1)
    claim = oldest(store)
    assert claim
    discard(store, claim)
    store.outbox.release(claim, retry_at=None)

    assert store.outbox.next_attempt(MUCH_LATER, CHANNELS) is None


def test_what_was_refused_is_kept_and_does_not_come_again(store: Store) -> None:
    owe(store, 1, 2)
    claim = oldest(store)
    assert claim
    store.outbox.finish(claim, claim.deliveries[:1], state=DeliveryState.REFUSED, now=MUCH_LATER, lease=LEASE, error="too long")
    store.outbox.release(claim, retry_at=None)

    assert about(oldest(store, "second")) == ["run-2"]
    assert [(each.state, each.error) for each in store.outbox.deliveries(limit=10)] == [
        (DeliveryState.WAITING, ""),
        (DeliveryState.REFUSED, "too long"),
    ]


def test_what_waits_for_too_long_is_given_up(store: Store) -> None:
    owe(store, 1, 2, 3)

    assert store.outbox.give_up(ELASTICSEARCH, NOW + 3 * SECOND, limit=10) == 2
    assert left(store) == ["run-3"]


def test_so_many_are_given_up_at_once(store: Store) -> None:
    owe(store, 1, 2, 3)

    assert [store.outbox.give_up(ELASTICSEARCH, MUCH_LATER, limit=2) for _ in range(3)] == [2, 1, 0]


def test_nobody_elses_is_given_up(store: Store) -> None:
    store.outbox.add([Alert(kind=Kind.LATE, about="a", name="A", at=NOW, deadline=None, emails=("jo@example.com",))])

    assert store.outbox.give_up(ELASTICSEARCH, MUCH_LATER, limit=10) == 0
    assert about(claimed(store)) == ["a"]


def test_when_all_was_given_up_nothing_is_due_after_the_next_look(store: Store) -> None:
    owe(store, 1)
    store.outbox.give_up(ELASTICSEARCH, MUCH_LATER, limit=10)

    assert oldest(store) is None
    assert store.outbox.next_attempt(MUCH_LATER, CHANNELS) is None
