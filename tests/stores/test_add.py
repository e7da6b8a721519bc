from __future__ import annotations

import pytest

from coal_mine.domain.errors import Conflict, IdTaken, NotFound
from coal_mine.domain.ports import Store
from tests.stores.examples import NOW, added, at_once, canary, entry, texts


def test_an_added_canary_is_found_by_id(store: Store) -> None:
    one = canary()
    store.canaries.add(one, entry(NOW, "Canary created"))

    assert store.canaries.get(one.id) == one


def test_an_added_canary_is_found_by_slug(store: Store) -> None:
    one = added(store)

    assert store.canaries.id_of_slug(one.slug) == one.id


def test_an_added_canary_has_its_first_entry(store: Store) -> None:
    one = canary()
    first = entry(NOW, "Canary created")
    store.canaries.add(one, first)

    assert store.canaries.history(one.id, limit=10) == [first]


def test_an_unknown_id_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.canaries.get("nosuchid")


def test_an_unknown_slug_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.canaries.id_of_slug("no-such-slug")


def test_a_taken_slug_is_refused_with_its_holders_id(store: Store) -> None:
    holder = added(store)

    with pytest.raises(Conflict, match=holder.id) as refusal:
        store.canaries.add(canary(slug=holder.slug), entry())

    assert not isinstance(refusal.value, IdTaken)


def test_a_taken_id_is_refused_as_such(store: Store) -> None:
    holder = added(store)

    with pytest.raises(IdTaken):
        store.canaries.add(canary(id=holder.id), entry())


def test_a_refused_canary_changes_nothing(store: Store) -> None:
    holder = added(store)
    with pytest.raises(IdTaken):
        store.canaries.add(canary(id=holder.id), entry(NOW, "Intruder created"))

    assert store.canaries.get(holder.id) == holder
    assert texts(store, holder.id) == ["Canary created"]


def test_of_many_that_want_one_slug_at_once_one_gets_it(store: Store) -> None:
    rivals = [canary(slug="wanted") for _ in range(8)]
    results = at_once([lambda one=one: store.canaries.add(one, entry()) for one in rivals])

    assert results.count(None) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 7
