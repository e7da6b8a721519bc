"""Runs as people list them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coal_mine.domain.job_ports import RunFilter
from coal_mine.domain.ports import Store
from coal_mine.domain.run import ENDED, LIVE, WAITING, Run, RunState, failed, skipped, unclaimed
from tests.stores.examples import HOUR, MILLISECOND, NOW, SECOND
from tests.stores.run_examples import added, added_claimed, added_ended, added_running, claim, ids, run, written

EVERYTHING = RunFilter()


def test_runs_are_listed_by_tick_and_id_the_newest_first(store: Store) -> None:
    store.runs.add([run(id="a"), run(id="c"), run(id="b", tick=NOW - SECOND), run(id="d", tick=NOW + SECOND), run(id="B")])

    assert ids(store.runs.select(EVERYTHING, limit=10)) == ["d", "c", "a", "B", "b"]


def test_a_list_is_as_long_as_was_asked_for(store: Store) -> None:
    store.runs.add([run(id=name) for name in "abc"])

    assert ids(store.runs.select(EVERYTHING, limit=2)) == ["c", "b"]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_together_are_the_list(store: Store, size: int) -> None:
    store.runs.add([run(id=name, tick=NOW - number // 3 * SECOND) for number, name in enumerate("abcdefgh")])
    paged: list[Run] = []
    while page := store.runs.select(EVERYTHING, before=(paged[-1].tick, paged[-1].id) if paged else None, limit=size):
        paged += page

    assert paged == store.runs.select(EVERYTHING, limit=100)


@pytest.fixture
def mixed(store: Store) -> list[str]:
    """One of each state, of two jobs on two nodes, a second apart; the names of the states, as they are listed."""
    states = sorted(RunState)
    store.runs.add([_mixed(number, state) for number, state in enumerate(states)])
    return [str(state) for state in states]


def _mixed(number: int, state: RunState) -> Run:
    node = "" if state is RunState.QUEUED else f"node-{number % 3}"
    ended_at = NOW if state in ENDED else None
    return run(id=str(state), job_id="ab"[number % 2], tick=NOW - number * SECOND, state=state, node=node, ended_at=ended_at)


def _of(names: list[str], *, half: int | None = None, third: int | None = None) -> list[str]:
    return [
        name
        for number, name in enumerate(names)
        if half in (None, number % 2) and (third is None or (number % 3 == third and name != "queued"))
    ]


def test_runs_of_a_job_are_listed(store: Store, mixed: list[str]) -> None:
    assert ids(store.runs.select(RunFilter(job_id="b"), limit=100)) == _of(mixed, half=1)


def test_runs_on_a_node_are_listed(store: Store, mixed: list[str]) -> None:
    assert ids(store.runs.select(RunFilter(node="node-2"), limit=100)) == _of(mixed, third=2)


def test_runs_in_each_state_are_listed(store: Store, mixed: list[str]) -> None:
    wanted = {name: RunFilter(states=frozenset({RunState(name)})) for name in mixed}

    assert {name: ids(store.runs.select(only, limit=100)) for name, only in wanted.items()} == {name: [name] for name in mixed}


@pytest.mark.parametrize("states", [WAITING, LIVE, ENDED, {RunState.RUNNING, RunState.LOST}, set()])
def test_runs_in_some_states_are_listed(store: Store, mixed: list[str], states: set[RunState]) -> None:
    wanted = RunFilter(states=frozenset(states))

    assert ids(store.runs.select(wanted, limit=100)) == [name for name in mixed if name in states]


def test_runs_of_some_time_are_listed(store: Store, mixed: list[str]) -> None:
    wanted = RunFilter(since=NOW - 5 * SECOND, until=NOW - 2 * SECOND)

    assert ids(store.runs.select(wanted, limit=100)) == mixed[3:6]


def test_everything_that_is_asked_of_a_list_holds_for_all_of_it(store: Store, mixed: list[str]) -> None:
    both = [name for name in _of(mixed, half=1) if name in _of(mixed, third=0) and name in ENDED]
    wanted = RunFilter(job_id="b", states=frozenset(ENDED), node="node-0", since=NOW - 5 * SECOND, until=NOW + HOUR)

    assert both == ["killed", "skipped"]
    assert ids(store.runs.select(wanted, limit=100)) == ["killed"]


@pytest.mark.parametrize("states", [None, ENDED, WAITING | LIVE])
def test_a_filtered_list_goes_on_where_its_page_ended(store: Store, mixed: list[str], states: frozenset[RunState] | None) -> None:
    wanted = RunFilter(states=states, since=NOW - 9 * SECOND, until=NOW)
    listed = store.runs.select(wanted, limit=100)

    assert len(listed) > 2
    assert store.runs.select(wanted, before=(listed[1].tick, listed[1].id), limit=100) == listed[2:]


def test_a_page_behind_a_place_outside_the_time_asked_for_keeps_to_that_time(store: Store, mixed: list[str]) -> None:
    wanted = RunFilter(since=NOW - 5 * SECOND, until=NOW - 2 * SECOND)

    assert ids(store.runs.select(wanted, before=(NOW + HOUR, ""), limit=100)) == mixed[3:6]
    assert store.runs.select(wanted, before=(NOW - HOUR, ""), limit=100) == []


def test_the_latest_run_of_each_job_is_one_that_somebody_has_begun(store: Store) -> None:
    for job_id in "ab":
        for number in range(3):
            added_ended(store, job_id=job_id, tick=NOW + number * SECOND)
        added(store, job_id=job_id, tick=NOW + HOUR)
    found = store.runs.latest(["a", "b", "nosuchjob"])

    assert {job_id: one.tick for job_id, one in found.items()} == {"a": NOW + 2 * SECOND, "b": NOW + 2 * SECOND}


def test_a_job_whose_runs_all_wait_for_the_first_time_has_no_latest_one(store: Store) -> None:
    added(store, job_id="a")

    assert store.runs.latest(["a"]) == {}


def test_a_run_that_was_never_started_can_be_the_latest(store: Store) -> None:
    written(store, skipped(added(store, job_id="a"), "overlap", NOW))
    given_back = written(store, unclaimed(written(store, claim(added(store, job_id="b"))), ""))

    assert store.runs.latest(["a"])["a"].state is RunState.SKIPPED
    assert store.runs.latest(["b"]) == {"b": given_back}


def test_of_equal_ticks_the_latest_is_the_one_with_the_highest_id(store: Store) -> None:
    for slot in ("x", "z", "y"):
        added_claimed(store, job_id="a", slot=slot)

    assert store.runs.latest(["a"])["a"].slot == "z"


def test_the_latest_runs_of_many_jobs_are_found_at_once(store: Store) -> None:
    runs = [replace(run(job_id=f"many-{number}"), epoch=1) for number in range(250)]
    store.runs.add(runs)

    assert store.runs.latest([one.job_id for one in runs]) == {one.job_id: one for one in runs}


def test_the_latest_runs_of_no_jobs_are_none(store: Store) -> None:
    assert store.runs.latest([]) == {}


def test_live_runs_of_a_node_are_found_by_id(store: Store) -> None:
    live = [added_running(store, id="b"), added_claimed(store, id="a"), added(store, id="c", state=RunState.UNREACHABLE, node="node-1")]
    added_ended(store)
    added(store)
    added_claimed(store, node="node-2")

    assert store.runs.live_on("node-1") == sorted(live, key=lambda one: one.id)


def test_nodes_with_live_runs_are_found(store: Store) -> None:
    added_running(store, node="b")
    added_claimed(store, node="a")
    added_claimed(store, node="a")
    added_ended(store, node="c")

    assert sorted(store.runs.live_nodes()) == ["a", "b"]


def test_no_node_has_live_runs_when_there_are_none(store: Store) -> None:
    added(store)
    added_ended(store)

    assert store.runs.live_nodes() == []


@pytest.fixture
def of_one_job(store: Store) -> None:
    """One of each state; the ids begin with the place in the order of ids, and end with the state."""
    store.runs.add(
        [
            run(
                job_id="a", id=f"{number:02}-{state}", tick=NOW - number * MILLISECOND, state=state, node="node-1",
                ended_at=NOW if state in ENDED else None,
            )
            for number, state in enumerate(sorted(RunState))
        ]
    )  # fmt: skip
    added_running(store, job_id="b")
    added(store, job_id="b", tick=NOW + SECOND)


@pytest.mark.usefixtures("of_one_job")
def test_live_runs_of_a_job_are_those_that_hold_its_locks(store: Store) -> None:
    found = store.runs.live_of("a")

    assert [one.id[3:] for one in found] == ["claimed", "retrying", "running", "unreachable"]


@pytest.mark.usefixtures("of_one_job")
def test_waiting_runs_of_a_job_are_found_the_earliest_tick_first(store: Store) -> None:
    assert [one.id[3:] for one in store.runs.waiting_of("a")] == ["retrying", "queued"]


def test_runs_of_one_tick_are_found_by_slot(store: Store) -> None:
    store.runs.add([run(job_id="a", slot=slot) for slot in ("c", "a", "b")])
    added(store, job_id="a", tick=NOW + MILLISECOND)
    added(store, job_id="b")

    assert [one.slot for one in store.runs.of_tick("a", NOW)] == ["a", "b", "c"]


def test_runs_that_never_came_to_a_node_are_listed_without_one(store: Store) -> None:
    written(store, failed(added(store, id="a"), "no node may run as root", NOW))
    added_ended(store, id="b")

    assert ids(store.runs.select(RunFilter(node=""), limit=10)) == ["a"]
