"""The cluster's options."""

from __future__ import annotations

import pytest

from coal_mine.domain.ports import Store
from tests.stores.examples import at_once


def test_at_first_no_option_is_set(store: Store) -> None:
    assert store.options.all() == {}


def test_options_come_back_as_they_were_set(store: Store) -> None:
    texts = {"mailer": '{"sender":"\\u00e9 \\ud83d\\ude00"}', "tick": "60"}
    for name, text in texts.items():
        store.options.set(name, text)

    assert store.options.all() == texts


def test_setting_says_what_it_was_before(store: Store) -> None:
    before = [store.options.set("tick", text) for text in ("60", "30", "30")]

    assert (before, store.options.all()) == ([None, "60", "30"], {"tick": "30"})


def test_unsetting_says_what_it_was_and_leaves_the_others(store: Store) -> None:
    store.options.set("tick", "60")
    store.options.set("audit", "null")

    assert (store.options.unset("tick"), store.options.all()) == ("60", {"audit": "null"})


@pytest.mark.parametrize("name", ["tick", "nosuchoption"])
def test_unsetting_what_is_not_set_changes_nothing(store: Store, name: str) -> None:
    store.options.set("audit", "{}")

    assert (store.options.unset(name), store.options.all()) == (None, {"audit": "{}"})


def test_of_several_who_set_an_option_at_once_each_learns_what_it_has_replaced(store: Store) -> None:
    texts = [str(number) for number in range(8)]
    before = at_once([lambda text=text: store.options.set("tick", text) for text in texts])
    (last,) = store.options.all().values()

    assert sorted([*before, last], key=str) == sorted([None, *texts], key=str)


def test_of_several_who_unset_an_option_at_once_one_has_done_it(store: Store) -> None:
    store.options.set("tick", "60")
    before = at_once([lambda: store.options.unset("tick")] * 6)

    assert sorted(before, key=str) == ["60", *[None] * 5]


def test_setting_and_unsetting_at_once_lose_nothing(store: Store) -> None:
    """Each text that was set was replaced, unset, or is there still; and none of that twice."""
    texts = [str(number) for number in range(6)]
    results = at_once([*(lambda text=text: store.options.set("tick", text) for text in texts), *[lambda: store.options.unset("tick")] * 3])
    ends = [result for result in results if result is not None]

    assert sorted(ends + list(store.options.all().values())) == texts
