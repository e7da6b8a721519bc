"""Canaries, entries and shortcuts for the tests of the stores."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from coal_mine.domain.alert import Claim, Delivery, DeliveryState
from coal_mine.domain.canary import Canary, Entry, created, paused, prunes
from coal_mine.domain.periodicity import Every
from coal_mine.domain.ports import Store

NOW = datetime(2026, 11, 22, 12, 0, 0, 123_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=30)
# Far behind every deadline that the tests set.
MUCH_LATER = NOW + 100 * HOUR
CHANNELS = ("email", "log")

_numbers = count()


def entry(at: datetime = NOW, text: str = "Triggered") -> Entry:
    """One that does not prune, so that what a test counts does not depend on chance."""
    while prunes(drawn := Entry(at, text, secrets.token_hex(6))):
        pass
    return drawn


def pruning_entry(at: datetime) -> Entry:
    return next(each for each in (Entry(at, "Triggered", f"nonce{number}") for number in count()) if prunes(each))


def canary(**values: Any) -> Canary:
    """Made at NOW with an hour to its deadline; every one has another id and slug."""
    number = next(_numbers)
    letters = "".join(chr(ord("a") + number // 26**place % 26) for place in range(8))
    plain = created(
        id=letters,
        name=f"Canary {number}",
        slug=f"canary-{number}",
        description="",
        periodicity=Every(3600),
        emails=("jo@example.com",),
        paused=False,
        at=NOW,
    )
    return replace(plain, **values)


def added(store: Store, **values: Any) -> Canary:
    """A canary that is in the store."""
    one = canary(**values)
    store.canaries.add(one, entry(one.last_event_at, "Canary created"))
    return one


def added_late(store: Store, **values: Any) -> Canary:
    """A canary that is in the store and late, with its LATE alert owed."""
    one = added(store, **values)
    assert one.deadline is not None
    store.canaries.mark_late(one.deadline)
    return store.canaries.get(one.id)


def added_paused(store: Store) -> Canary:
    one = added(store)
    assert store.canaries.apply(paused(one, entry(NOW + SECOND, "Paused")))
    return store.canaries.get(one.id)


def texts(store: Store, canary_id: str) -> list[str]:
    return [each.text for each in store.canaries.history(canary_id, limit=100_000)]


def next_attempt(store: Store, now: datetime) -> datetime | None:
    return store.outbox.next_attempt(now, CHANNELS)


def claimed(
    store: Store, token: str = "token", *, now: datetime = MUCH_LATER, digest_above: int = 20, channels: Sequence[str] = CHANNELS
) -> Claim | None:
    return store.outbox.claim(now=now, lease=LEASE, token=token, digest_above=digest_above, channels=channels)


def finished(
    store: Store,
    claim: Claim,
    deliveries: Iterable[Delivery] | None = None,
    *,
    now: datetime = MUCH_LATER,
    state: DeliveryState = DeliveryState.DELIVERED,
    error: str = "",
) -> bool:
    chosen = claim.deliveries if deliveries is None else tuple(deliveries)
    return store.outbox.finish(claim, chosen, state=state, now=now, lease=LEASE, error=error)


def told(claim: Claim | None) -> list[tuple[str, str]]:
    """The kinds and canaries of a claim's deliveries, in order."""
    return [(delivery.alert.kind, delivery.alert.about) for delivery in claim.deliveries] if claim else []


def at_once(works: Iterable[Callable[[], Any]]) -> list[Any]:
    """Do all at the same time, each in a thread; their results, or the exceptions that they raised, in order."""
    works = list(works)
    results: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(place: int, work: Callable[[], Any]) -> None:
        start.wait()
        try:
            results[place] = work()
        except Exception as error:  # noqa: BLE001 - handed to the test
            results[place] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
