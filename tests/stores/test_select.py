from __future__ import annotations

import pytest

from coal_mine.domain.ports import CanaryFilter, Store
from tests.stores.examples import added, added_late, added_paused


def test_canaries_are_listed_in_the_order_of_creation(store: Store) -> None:
    ids = [added(store).id for _ in range(5)]

    assert [each.id for each in store.canaries.select(CanaryFilter())] == ids


def test_an_empty_store_lists_nothing(store: Store) -> None:
    assert list(store.canaries.select(CanaryFilter())) == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (CanaryFilter(paused=True), {"paused"}),
        (CanaryFilter(paused=False), {"late", "timely"}),
        (CanaryFilter(late=True), {"late"}),
        (CanaryFilter(late=False), {"paused", "timely"}),
        (CanaryFilter(paused=False, late=False), {"timely"}),
        (CanaryFilter(paused=True, late=True), set()),
    ],
)
def test_a_filter_chooses_by_state(store: Store, wanted: CanaryFilter, expected: set[str]) -> None:
    states = {added_late(store).id: "late", added_paused(store).id: "paused", added(store).id: "timely"}

    assert {states[each.id] for each in store.canaries.select(wanted)} == expected


def test_a_listed_canary_is_complete(store: Store) -> None:
    one = added_late(store)

    assert list(store.canaries.select(CanaryFilter())) == [one]


def test_a_list_of_more_than_a_page_has_everyone_once(store: Store) -> None:
    ids = [added(store).id for _ in range(5)]
    listing = store.canaries.select(CanaryFilter())
    first = next(listing).id
    store.canaries.remove(ids[0])

    assert first == ids[0]
    assert [each.id for each in listing][-1] == ids[-1]
