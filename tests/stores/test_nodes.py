"""Nodes that announce themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coal_mine.domain.errors import Conflict, NotFound
from coal_mine.domain.node import LEASE
from coal_mine.domain.ports import Store
from tests.stores.examples import MILLISECOND, NOW, SECOND, at_once
from tests.stores.job_examples import node


def test_a_node_comes_back_as_it_announced_itself(store: Store) -> None:
    one = node(pools=("b", "a"), users=("*", "root"), cpus=0.5, running=3, runners=("hello", "power"))

    assert store.nodes.beat(one) == one
    assert store.nodes.get("alpha") == one


def test_nodes_are_listed_by_name(store: Store) -> None:
    for name in ("beta", "Zeta", "alpha"):
        store.nodes.beat(node(name))

    assert [one.name for one in store.nodes.all()] == ["Zeta", "alpha", "beta"]


def test_the_next_beat_replaces_all_that_was_announced(store: Store) -> None:
    store.nodes.beat(node(runners=("hello",)))
    later = node(
        pools=("other",), users=(), timezone="UTC", slots=1, cpus=0, mem=0, host="elsewhere", pid=1, version="2.0",
        started_at=NOW + SECOND, seen_at=NOW + 5 * SECOND, running=1,
    )  # fmt: skip

    assert store.nodes.beat(later) == later
    assert store.nodes.all() == [later]


def test_a_node_that_nobody_knows_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="there is no node named 'nosuchnode'"):
        store.nodes.get("nosuchnode")


def test_a_name_that_is_in_use_is_refused_with_its_holder(store: Store) -> None:
    one = node()
    store.nodes.beat(one)

    with pytest.raises(Conflict, match=r"on alpha\.example\.com as process 4711"):
        store.nodes.beat(node(boot="boot 2", host="elsewhere", seen_at=NOW + LEASE - MILLISECOND))
    assert store.nodes.get("alpha") == one


def test_a_name_is_free_when_its_holder_was_not_seen_for_a_lease(store: Store) -> None:
    store.nodes.beat(node())
    other = node(boot="boot 2", host="elsewhere", seen_at=NOW + LEASE)

    assert store.nodes.beat(other) == other


def test_the_same_boot_may_come_back_at_once(store: Store) -> None:
    store.nodes.beat(node())
    restarted = node(pid=4712, seen_at=NOW + SECOND)

    assert store.nodes.beat(restarted) == restarted


def test_a_name_is_free_after_its_holder_has_ended(store: Store) -> None:
    store.nodes.beat(node())
    store.nodes.end("alpha", "boot 1")
    other = node(boot="boot 2", seen_at=NOW + SECOND)

    assert store.nodes.beat(other) == other


def test_a_node_that_has_ended_is_not_alive_but_registered(store: Store) -> None:
    store.nodes.beat(node())
    store.nodes.end("alpha", "boot 1")
    found = store.nodes.get("alpha")

    assert not found.is_alive(NOW)
    assert found.is_registered(NOW)


def test_a_node_that_ends_while_its_runs_go_on_keeps_its_lease(store: Store) -> None:
    store.nodes.beat(node())
    store.nodes.end("alpha", "boot 1", keeps_lease=True)
    found = store.nodes.get("alpha")

    assert (found.seen_at, found.ended) == (NOW, True)


def test_ending_again_changes_nothing(store: Store) -> None:
    store.nodes.beat(node())
    store.nodes.end("alpha", "boot 1")
    found = store.nodes.get("alpha")
    store.nodes.end("alpha", "boot 1")

    assert store.nodes.get("alpha") == found


def test_a_node_that_comes_back_after_its_end_can_end_again(store: Store) -> None:
    later = node(seen_at=NOW + 60 * SECOND)
    store.nodes.beat(node())
    store.nodes.end("alpha", "boot 1")
    store.nodes.beat(later)
    alive = store.nodes.get("alpha").is_alive(later.seen_at)
    store.nodes.end("alpha", "boot 1")

    assert alive
    assert not store.nodes.get("alpha").is_alive(later.seen_at)


def test_that_a_node_has_ended_is_known_until_it_comes_back(store: Store) -> None:
    store.nodes.beat(node())
    store.nodes.end("alpha", "boot 1")
    ended = store.nodes.get("alpha").ended

    assert (ended, store.nodes.beat(node(seen_at=NOW + SECOND)).ended) == (True, False)


def test_what_was_told_of_a_node_survives_its_beats(store: Store) -> None:
    store.nodes.beat(node())
    store.nodes.note_stopped("alpha", NOW)
    store.nodes.note_resumed("alpha", NOW - SECOND)
    later = node(seen_at=NOW + 60 * SECOND)

    assert store.nodes.beat(later) == replace(later, stopped_after=NOW, resumed_after=NOW - SECOND)


def test_what_was_told_last_of_a_node_stays_whoever_writes_late(store: Store) -> None:
    store.nodes.beat(node())
    for after in (NOW, NOW + SECOND, NOW - SECOND):
        store.nodes.note_stopped("alpha", after)
        store.nodes.note_resumed("alpha", after - SECOND)

    assert store.nodes.all() == [node(stopped_after=NOW + SECOND, resumed_after=NOW)]


def test_noting_something_of_a_forgotten_node_does_not_bring_it_back(store: Store) -> None:
    store.nodes.note_stopped("alpha", NOW)
    store.nodes.note_resumed("alpha", NOW)

    assert store.nodes.all() == []


def test_the_end_of_another_boot_has_no_effect(store: Store) -> None:
    one = node()
    store.nodes.beat(one)
    store.nodes.end("alpha", "boot 0")
    store.nodes.end("nosuchnode", "boot 1")

    assert store.nodes.all() == [one]


def test_the_wish_of_an_operator_survives_the_beats(store: Store) -> None:
    one = node()
    store.nodes.beat(one)

    assert store.nodes.set_draining("alpha", draining=True) == replace(one, draining=True)
    assert store.nodes.beat(one).draining
    assert store.nodes.get("alpha").draining


def test_the_wish_of_an_operator_survives_another_boot(store: Store) -> None:
    store.nodes.beat(node())
    store.nodes.set_draining("alpha", draining=True)

    assert store.nodes.beat(node(boot="boot 2", seen_at=NOW + LEASE)).draining


def test_an_operator_can_change_his_mind(store: Store) -> None:
    store.nodes.beat(node())
    store.nodes.set_draining("alpha", draining=True)
    store.nodes.set_draining("alpha", draining=False)

    assert not store.nodes.get("alpha").draining


def test_nobody_can_drain_a_node_that_does_not_exist(store: Store) -> None:
    with pytest.raises(NotFound):
        store.nodes.set_draining("nosuchnode", draining=True)
    assert store.nodes.all() == []


def test_a_removed_node_is_forgotten_with_the_operators_wish(store: Store) -> None:
    store.nodes.beat(node())
    store.nodes.set_draining("alpha", draining=True)
    store.nodes.remove("alpha")

    assert store.nodes.all() == []
    assert not store.nodes.beat(node(boot="boot 2")).draining


def test_removing_a_node_that_does_not_exist_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.nodes.remove("nosuchnode")


def test_of_two_boots_with_one_name_at_once_one_gets_it(store: Store) -> None:
    ones = [node(boot=f"boot {number}", host=f"host{number}") for number in range(6)]
    results = at_once([lambda one=one: store.nodes.beat(one) for one in ones])
    (holder,) = store.nodes.all()

    assert [result for result in results if not isinstance(result, Conflict)] == [holder]


def test_of_two_boots_that_want_a_free_name_at_once_one_gets_it(store: Store) -> None:
    store.nodes.beat(node())
    ones = [node(boot=f"boot {number}", seen_at=NOW + LEASE + number * MILLISECOND) for number in range(2, 8)]
    results = at_once([lambda one=one: store.nodes.beat(one) for one in ones])

    assert [result for result in results if not isinstance(result, Conflict)] == store.nodes.all()


def test_beats_and_wishes_at_once_do_not_disturb_each_other(store: Store) -> None:
    store.nodes.beat(node())
    beats = [lambda number=number: store.nodes.beat(node(seen_at=NOW + 9 * SECOND, running=number)) for number in range(5)]
    at_once([*beats, lambda: store.nodes.set_draining("alpha", draining=True)])
    found = store.nodes.get("alpha")

    assert (found.draining, found.seen_at) == (True, NOW + 9 * SECOND)
