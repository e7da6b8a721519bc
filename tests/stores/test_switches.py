"""What operators have switched off for all nodes."""

from __future__ import annotations

from coal_mine.domain.node import Switches
from coal_mine.domain.ports import Store
from tests.stores.examples import at_once


def test_at_first_everything_is_on(store: Store) -> None:
    assert store.nodes.switches() == Switches(execution_enabled=True, paused_pools=frozenset())


def test_execution_is_switched_off_and_on(store: Store) -> None:
    store.nodes.switch_execution(enabled=False)
    off = store.nodes.switches()
    store.nodes.switch_execution(enabled=True)

    assert [off, store.nodes.switches()] == [Switches(execution_enabled=False), Switches()]


def test_who_switches_execution_is_told_whether_it_was_enabled(store: Store) -> None:
    told = [store.nodes.switch_execution(enabled=enabled) for enabled in (True, False, False, True, True)]

    assert told == [True, True, False, False, True]


def test_of_those_who_switch_execution_off_at_once_one_finds_it_on(store: Store) -> None:
    found = at_once([lambda: store.nodes.switch_execution(enabled=False) for _ in range(8)])

    assert sorted(found) == [False] * 7 + [True]


def test_pools_are_paused_and_resumed_one_by_one(store: Store) -> None:
    store.nodes.pause_pool("a.b", paused=True)
    both = store.nodes.pause_pool("$c", paused=True)
    one = store.nodes.pause_pool("a.b", paused=False)

    assert both == Switches(paused_pools=frozenset({"a.b", "$c"}))
    assert one == store.nodes.switches() == Switches(paused_pools=frozenset({"$c"}))


def test_switching_twice_is_as_switching_once(store: Store) -> None:
    for _ in range(2):
        store.nodes.switch_execution(enabled=False)
        store.nodes.pause_pool("a", paused=True)
        store.nodes.pause_pool("b", paused=False)
    store.nodes.pause_pool("a", paused=False)
    store.nodes.switch_execution(enabled=True)

    assert store.nodes.switches() == Switches()


def test_a_paused_pool_stays_so_while_execution_is_switched(store: Store) -> None:
    store.nodes.pause_pool("a", paused=True)
    store.nodes.switch_execution(enabled=False)
    store.nodes.switch_execution(enabled=True)

    assert store.nodes.switches() == Switches(paused_pools=frozenset({"a"}))


def test_operators_who_switch_at_once_do_not_disturb_each_other(store: Store) -> None:
    pausing = [lambda number=number: store.nodes.pause_pool(f"p{number}", paused=True) for number in range(8)]
    at_once([*pausing, lambda: store.nodes.switch_execution(enabled=False)])

    assert store.nodes.switches() == Switches(execution_enabled=False, paused_pools=frozenset(f"p{number}" for number in range(8)))
