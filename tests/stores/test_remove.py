from __future__ import annotations

import pytest

from coal_mine.domain.alert import Kind
from coal_mine.domain.errors import NotFound
from coal_mine.domain.ports import CanaryFilter, Store
from tests.stores.examples import HOUR, NOW, added, added_late, canary, claimed, entry, texts, told


def test_a_removed_canary_is_gone(store: Store) -> None:
    one = added(store)
    store.canaries.remove(one.id)

    with pytest.raises(NotFound):
        store.canaries.get(one.id)
    assert list(store.canaries.select(CanaryFilter())) == []


def test_a_removed_canary_takes_its_history_along(store: Store) -> None:
    one, other = added(store), added(store)
    store.canaries.remove(one.id)

    assert texts(store, one.id) == []
    assert texts(store, other.id) == ["Canary created"]


def test_the_slug_of_a_removed_canary_is_free(store: Store) -> None:
    one = added(store)
    store.canaries.remove(one.id)
    successor = canary(slug=one.slug)
    store.canaries.add(successor, entry())

    assert store.canaries.id_of_slug(one.slug) == successor.id


def test_what_a_removed_canary_owed_is_delivered(store: Store) -> None:
    one = added_late(store)
    store.canaries.trigger(one.id, entry(NOW + 2 * HOUR))
    store.canaries.remove(one.id)

    assert told(claimed(store)) == [(Kind.LATE, one.id), (Kind.RESUMED, one.id)]


def test_removing_an_unknown_canary_is_refused(store: Store) -> None:
    with pytest.raises(NotFound):
        store.canaries.remove("nosuchid")
