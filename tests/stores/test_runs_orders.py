"""Orders for runs that are under way, and what is owed to their canaries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coal_mine.domain.errors import NotFound
from coal_mine.domain.output import Chunk, Frame, Stream
from coal_mine.domain.ports import Store
from coal_mine.domain.run import Run, RunState, abandoned, ended, lost, missed, started, unreachable
from tests.stores.examples import HOUR, MILLISECOND, NOW, SECOND
from tests.stores.run_examples import RETRYING, added, added_claimed, added_ended, added_running, claim, result, written


def test_orders_are_kept_in_their_order(store: Store) -> None:
    one = added_running(store)

    assert store.runs.order(one.id, "signal 10")
    assert store.runs.order(one.id, "kill")
    assert store.runs.get(one.id) == replace(one, orders=("signal 10", "kill"))


@pytest.mark.parametrize("state", [RunState.CLAIMED, RunState.RUNNING, RunState.UNREACHABLE])
def test_live_runs_take_orders(store: Store, state: RunState) -> None:
    assert store.runs.order(added(store, state=state, node="node-1").id, "kill")


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RETRYING, RunState.DONE, RunState.LOST])
def test_other_runs_take_no_orders(store: Store, state: RunState) -> None:
    one = added(store, state=state)

    assert not store.runs.order(one.id, "kill")
    assert store.runs.get(one.id) == one


def test_a_run_that_is_not_there_takes_no_orders(store: Store) -> None:
    with pytest.raises(NotFound, match="nosuchrun"):
        store.runs.order("nosuchrun", "kill")


def test_runs_with_orders_are_found_by_their_node(store: Store) -> None:
    ones = [added_running(store, id=name) for name in "cab"]
    elsewhere = added_running(store, node="node-2")
    for one in (ones[0], ones[2], ones[2], elsewhere):
        store.runs.order(one.id, "kill")

    assert [(one.id, one.orders) for one in store.runs.ordered_on("node-1")] == [("b", ("kill", "kill")), ("c", ("kill",))]


def test_an_order_that_was_taken_is_gone(store: Store) -> None:
    one = added_running(store)
    store.runs.order(one.id, "signal 10")
    store.runs.order(one.id, "kill")

    assert store.runs.take_order(one, "signal 10")
    assert store.runs.get(one.id).orders == ("kill",)


def test_a_node_whose_runs_have_no_more_orders_is_told_of_none(store: Store) -> None:
    one = added_running(store)
    store.runs.order(one.id, "kill")
    store.runs.take_order(one, "kill")

    assert store.runs.ordered_on("node-1") == []
    assert store.runs.get(one.id) == one


def test_an_order_that_is_not_the_first_cannot_be_taken(store: Store) -> None:
    one = added_running(store)
    store.runs.order(one.id, "signal 10")
    store.runs.order(one.id, "kill")

    assert not store.runs.take_order(one, "kill")
    assert store.runs.get(one.id).orders == ("signal 10", "kill")


def test_an_order_cannot_be_taken_twice(store: Store) -> None:
    one = added_running(store)
    store.runs.order(one.id, "kill")

    assert [store.runs.take_order(one, "kill") for _ in range(2)] == [True, False]


def test_of_equal_orders_one_is_taken_at_a_time(store: Store) -> None:
    one = added_running(store)
    store.runs.order(one.id, "signal 10")
    store.runs.order(one.id, "signal 10")
    store.runs.take_order(one, "signal 10")

    assert store.runs.get(one.id).orders == ("signal 10",)


def test_orders_survive_a_change_of_state(store: Store) -> None:
    one = added_claimed(store)
    store.runs.order(one.id, "kill")
    written(store, started(one, NOW))

    assert [each.orders for each in store.runs.ordered_on("node-1")] == [("kill",)]


def test_a_run_that_has_ended_is_not_among_those_with_orders(store: Store) -> None:
    one = added_running(store)
    store.runs.order(one.id, "kill")
    written(store, ended(one, result()))

    assert store.runs.ordered_on("node-1") == []


def test_an_order_that_nobody_took_waits_for_the_next_attempt(store: Store) -> None:
    one = added_running(store, definition=RETRYING)
    store.runs.order(one.id, "kill")
    waiting = written(store, ended(one, result(1)))
    before = store.runs.ordered_on("node-1")
    written(store, claim(waiting, "again", node="node-2"))

    assert before == []
    assert [each.orders for each in store.runs.ordered_on("node-2")] == [("kill",)]


def _owing(store: Store) -> list[Run]:
    return store.runs.owing(NOW + 100 * HOUR, limit=10)


def test_a_run_that_has_ended_owes_it_to_its_canary(store: Store) -> None:
    one = added_ended(store)

    assert _owing(store) == [one]


def test_a_run_that_goes_on_owes_nothing(store: Store) -> None:
    added(store)
    added_running(store)

    assert _owing(store) == []


def test_a_run_that_was_added_as_missed_owes_it(store: Store) -> None:
    one = added(store, state=RunState.MISSED, ended_at=NOW, owed=True)

    assert _owing(store) == [one]


def test_what_was_settled_is_owed_no_more(store: Store) -> None:
    one, other = added_ended(store), added_ended(store)
    store.runs.settled([one])

    assert _owing(store) == [other]
    assert store.runs.get(one.id) == replace(one, owed=False)


def test_runs_of_different_states_are_settled_together(store: Store) -> None:
    ones = [added_ended(store), added_ended(store, exit_code=1), written(store, missed(added(store), "late", NOW))]
    store.runs.settled(ones)

    assert _owing(store) == []


def test_settling_nothing_changes_nothing(store: Store) -> None:
    one = added_ended(store)
    store.runs.settled([])

    assert _owing(store) == [one]


def test_what_is_owed_again_after_it_was_settled_is_owed(store: Store) -> None:
    """Between reading an unreachable run and giving it up, its canary was told."""
    silent = written(store, unreachable(added_running(store), "silent"))
    store.runs.settled([silent])
    given_up = written(store, lost(silent, "silent for a day", NOW))

    assert _owing(store) == [given_up]


def test_settling_what_a_run_was_before_leaves_owed_what_it_is_now(store: Store) -> None:
    silent = written(store, unreachable(added_running(store), "silent"))
    done = written(store, ended(silent, result()))
    store.runs.settled([silent])

    assert _owing(store) == [done]


def test_what_is_owed_counts_from_the_latest_that_happened(store: Store) -> None:
    created, claimed, over = NOW, NOW + SECOND, NOW + 2 * SECOND
    values = {"state": RunState.UNREACHABLE, "node": "node-1", "owed": True, "created_at": created}
    added(store, id="a", **values)
    added(store, id="b", **values, claimed_at=claimed)
    added(store, id="c", **{**values, "state": RunState.DONE}, claimed_at=claimed, ended_at=over)
    found = [{one.id for one in store.runs.owing(at + MILLISECOND, limit=10)} for at in (created, claimed, over)]

    assert found == [{"a"}, {"a", "b"}, {"a", "b", "c"}]
    assert store.runs.owing(created, limit=10) == []


def test_so_many_owing_runs_are_found_as_were_asked_for(store: Store) -> None:
    for _ in range(3):
        added_ended(store)

    assert len(store.runs.owing(NOW + HOUR, limit=2)) == 2


def _with_output(store: Store, one: Run, attempt: int = 1) -> None:
    store.output.add([Chunk(run_id=one.id, attempt=attempt, offset=0, frames=(Frame(Stream.STDOUT, 0, b"hello"),))])


def test_runs_that_ended_long_ago_are_forgotten_with_their_output(store: Store) -> None:
    old, recent = added_ended(store, at=NOW - MILLISECOND), added_ended(store, at=NOW)
    _with_output(store, old)
    _with_output(store, old, attempt=2)
    _with_output(store, recent)

    assert store.runs.forget(NOW, limit=10) == 1
    assert store.runs.find([old.id, recent.id]) == {recent.id: recent}
    assert [len(store.output.read(*each, offset=0, limit=9)) for each in ((old.id, 1), (old.id, 2), (recent.id, 1))] == [0, 0, 1]


def test_so_many_runs_are_forgotten_as_were_asked_for(store: Store) -> None:
    for _ in range(5):
        added_ended(store, at=NOW - SECOND)

    assert [store.runs.forget(NOW, limit=3) for _ in range(3)] == [3, 2, 0]


def test_runs_that_have_not_ended_are_never_forgotten(store: Store) -> None:
    waiting = written(store, ended(added_running(store, definition=RETRYING), result(1)))
    silent = written(store, abandoned(added_running(store), "silent", NOW))
    ones = [added(store), added_running(store), waiting, silent]

    assert silent.ended_at is not None
    assert store.runs.forget(NOW + 1_000 * HOUR, limit=10) == 0
    assert store.runs.find([one.id for one in ones]) == {one.id: one for one in ones}
