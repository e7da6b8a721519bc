"""What is to be started, by whom, and what was not."""

from __future__ import annotations

from dataclasses import replace

from coal_mine.domain.job import Definition, Runner
from coal_mine.domain.ports import Store
from coal_mine.domain.run import ANY, ended, postponed, started
from tests.stores.examples import HOUR, MILLISECOND, NOW, SECOND
from tests.stores.run_examples import (
    MINUTE,
    RETRYING,
    added,
    added_claimed,
    added_ended,
    added_running,
    claim,
    ids,
    node,
    result,
    run,
    written,
)

CALLING = Definition(name="Stop", runner=Runner.INSTANCE, runner_name="power", details=(("instance_id", "i-1"),))


def test_runs_are_due_at_their_time_and_not_before(store: Store) -> None:
    one = added(store)

    assert store.runs.due(NOW - MILLISECOND, node=node(), limit=10) == []
    assert store.runs.due(NOW, node=node(), limit=10) == [one]


def test_what_is_due_comes_by_time_then_priority_then_id(store: Store) -> None:
    runs = [
        run(id="d", due_at=NOW - SECOND, priority=-1),
        run(id="c", priority=5),
        run(id="a", priority=0),
        run(id="b", priority=0),
        run(id="e", due_at=NOW + MILLISECOND, priority=9),
    ]
    store.runs.add(list(reversed(runs)))

    assert ids(store.runs.due(NOW + HOUR, node=node(), limit=10)) == ["d", "c", "a", "b", "e"]
    assert ids(store.runs.due(NOW + HOUR, node=None, limit=10)) == ["d", "c", "a", "b", "e"]


def test_so_many_are_due_as_were_asked_for(store: Store) -> None:
    store.runs.add([run(id=name) for name in "cab"])

    assert ids(store.runs.due(NOW, node=node(), limit=2)) == ["a", "b"]


def test_a_node_without_room_gets_nothing(store: Store) -> None:
    added(store)

    assert store.runs.due(NOW, node=node(), limit=0) == []


def test_a_node_gets_what_is_for_any_node_or_for_itself(store: Store) -> None:
    runs = [run(id=slot, slot=slot) for slot in (ANY, "node-1", "node-2")]
    store.runs.add(runs)

    assert ids(store.runs.due(NOW, node=node("node-1"), limit=10)) == [ANY, "node-1"]


def test_a_node_gets_what_is_for_one_of_its_pools(store: Store) -> None:
    store.runs.add([run(id="ab", pools=("a", "b")), run(id="bc", pools=("b", "c")), run(id="d", pools=("d",))])

    assert ids(store.runs.due(NOW, node=node(pools=("x", "a", "b")), limit=10)) == ["ab", "bc"]
    assert ids(store.runs.due(NOW, node=node(pools=("c",)), limit=10)) == ["bc"]


def test_a_node_gets_what_needs_one_of_its_runners_and_what_needs_none(store: Store) -> None:
    store.runs.add([run(id="power", definition=CALLING, slot="node-1"), run(id="shell"), run(id="any", definition=CALLING)])
    one = replace(node("node-1"), runners=("other", "power"))

    assert ids(store.runs.due(NOW, node=one, limit=10)) == ["any", "power", "shell"]


def test_a_run_that_needs_a_runner_is_due_when_no_node_asks(store: Store) -> None:
    one = added(store, definition=CALLING)

    assert store.runs.due(NOW, node=None, limit=10) == [one]


def test_a_node_gets_its_own_runs_only_while_it_is_in_their_pool(store: Store) -> None:
    added(store, slot="node-1", pools=("left",))

    assert store.runs.due(NOW, node=node("node-1", pools=("joined",)), limit=10) == []


def test_a_node_with_very_many_pools_gets_its_runs_in_order(store: Store) -> None:
    pools = tuple(f"pool-{number:03}" for number in range(150))
    store.runs.add([run(id=f"{149 - number:03}", pools=(pools[number],)) for number in range(150)])

    assert ids(store.runs.due(NOW, node=node(pools=pools), limit=3)) == ["000", "001", "002"]


def test_runs_for_all_pools_are_due_when_no_node_asks(store: Store) -> None:
    store.runs.add([run(id="a", slot="node-9", pools=("a", "b")), run(id="b", pools=("c",))])

    assert ids(store.runs.due(NOW, node=None, limit=10)) == ["a", "b"]


def test_claimed_and_ended_runs_are_not_due(store: Store) -> None:
    added_claimed(store)
    added_running(store)
    added_ended(store)

    assert store.runs.due(NOW + HOUR, node=node(), limit=10) == []


def test_the_next_attempt_is_due_when_its_wait_is_over(store: Store) -> None:
    waiting = written(store, ended(added_running(store, definition=RETRYING), result(1)))

    assert store.runs.due(waiting.due_at - MILLISECOND, node=node(), limit=10) == []
    assert store.runs.due(waiting.due_at, node=node(), limit=10) == [waiting]


def test_runs_that_were_not_started_in_time_are_overdue_the_earliest_first(store: Store) -> None:
    runs = [added(store, start_by=NOW + number * SECOND) for number in (2, 0, 1)]

    assert store.runs.overdue(NOW + SECOND, limit=10) == [runs[1], runs[2]]


def test_so_many_are_overdue_as_were_asked_for(store: Store) -> None:
    runs = [added(store, start_by=NOW + number * SECOND) for number in (2, 0, 1)]

    assert store.runs.overdue(NOW + HOUR, limit=1) == [runs[1]]


def test_runs_that_were_claimed_or_have_ended_are_not_overdue(store: Store) -> None:
    added_claimed(store)
    added_ended(store)

    assert store.runs.overdue(NOW + HOUR, limit=10) == []


def test_an_attempt_that_waits_is_overdue_by_its_own_time(store: Store) -> None:
    waiting = written(store, ended(added_running(store, definition=RETRYING), result(1)))

    assert waiting.start_by != NOW + MINUTE
    assert store.runs.overdue(waiting.start_by - MILLISECOND, limit=10) == []
    assert store.runs.overdue(waiting.start_by, limit=10) == [waiting]


def test_a_run_that_is_postponed_makes_way_for_the_next(store: Store) -> None:
    first, second = added(store, priority=1), added(store)
    later = written(store, postponed(first, NOW + SECOND))

    assert store.runs.due(NOW + SECOND, node=node(), limit=10) == [second, later]


def test_a_run_that_is_started_and_then_due_again_is_as_it_became(store: Store) -> None:
    """Between two attempts it has another time, another reason and a history."""
    first = written(store, started(written(store, claim(added(store, definition=RETRYING))), NOW))
    waiting = written(store, ended(first, result(3)))

    assert store.runs.due(waiting.due_at, node=None, limit=1) == [waiting]
