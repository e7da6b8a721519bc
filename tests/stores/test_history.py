from __future__ import annotations

from datetime import timedelta

from coal_mine.domain.canary import HISTORY_AGE, KEPT_HISTORY, MAX_HISTORY, kept_history
from coal_mine.domain.ports import Store
from tests.stores.examples import MILLISECOND, NOW, SECOND, added, at_once, entry, pruning_entry, texts
from tests.support.waiting import until


def _triggered(store: Store, canary_id: str, times: list[timedelta]) -> None:
    """In 32 threads, so that they are committed in groups."""
    shares = [times[first::32] for first in range(32)]
    at_once([lambda share=share: [store.canaries.trigger(canary_id, entry(NOW + after)) for after in share] for share in shares])


def test_the_history_is_newest_first(store: Store) -> None:
    one = added(store)
    for number in range(5):
        store.canaries.trigger(one.id, entry(NOW + (number + 1) * MILLISECOND, f"Triggered ({number})"))

    assert texts(store, one.id) == [*(f"Triggered ({number})" for number in (4, 3, 2, 1, 0)), "Canary created"]


def test_a_limit_gives_the_newest(store: Store) -> None:
    one = added(store)
    store.canaries.trigger(one.id, entry(NOW + SECOND))

    assert [each.at for each in store.canaries.history(one.id, limit=1)] == [NOW + SECOND]


def test_the_end_of_a_range_is_included(store: Store) -> None:
    one = added(store)
    for number in (1, 2, 3):
        store.canaries.trigger(one.id, entry(NOW + number * MILLISECOND))
    found = store.canaries.history(one.id, limit=10, until=NOW + 2 * MILLISECOND)

    assert [each.at for each in found] == [NOW + 2 * MILLISECOND, NOW + MILLISECOND, NOW]


def test_the_history_of_an_unknown_canary_is_empty(store: Store) -> None:
    assert store.canaries.history("nosuchid", limit=10) == []


def test_entries_of_one_millisecond_are_all_kept(store: Store) -> None:
    one = added(store)
    for _ in range(5):
        store.canaries.trigger(one.id, entry(NOW))

    assert len(texts(store, one.id)) == 6


def test_histories_of_neighbours_do_not_mix(store: Store) -> None:
    first, second = added(store), added(store)
    store.canaries.trigger(second.id, entry(NOW, "Triggered (second)"))

    assert texts(store, first.id) == ["Canary created"]


def test_histories_of_many_are_as_those_of_each(store: Store) -> None:
    ids = [added(store).id for _ in range(3)]
    for number in range(4):
        store.canaries.trigger(ids[1], entry(NOW + number * SECOND))

    assert store.canaries.histories(ids, limit=3) == {each: store.canaries.history(each, limit=3) for each in ids}


def test_histories_have_no_key_for_the_unknown(store: Store) -> None:
    one = added(store)

    assert store.canaries.histories(["nosuchid", one.id], limit=3).keys() == {one.id}


def test_histories_of_none_are_none(store: Store) -> None:
    assert store.canaries.histories([], limit=3) == {}


def test_about_every_hundredth_trigger_deletes_old_entries(store: Store) -> None:
    one = added(store)
    _triggered(store, one.id, [number * MILLISECOND for number in range(KEPT_HISTORY + 50)])
    newest = pruning_entry(NOW + HISTORY_AGE + SECOND)
    before = store.canaries.history(one.id, limit=10_000)
    store.canaries.trigger(one.id, newest)

    until("the pruning", lambda: len(texts(store, one.id)) <= KEPT_HISTORY)
    assert store.canaries.history(one.id, limit=10_000) == kept_history([newest, *before], newest.at)


def test_no_more_than_the_maximum_is_stored_after_pruning(store: Store) -> None:
    one = added(store)
    _triggered(store, one.id, [number * MILLISECOND for number in range(MAX_HISTORY + 20)])
    store.canaries.trigger(one.id, pruning_entry(NOW + 5 * SECOND))

    until("the pruning", lambda: len(texts(store, one.id)) <= MAX_HISTORY)
    assert len(texts(store, one.id)) == MAX_HISTORY
