"""Runs by the time of their end, as logs and summaries tell of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coal_mine.domain.job_ports import EndedFilter, RunFilter
from coal_mine.domain.ports import Store
from coal_mine.domain.run import Run, RunState, missed, rerun
from tests.stores.examples import HOUR, NOW, SECOND
from tests.stores.run_examples import added, added_claimed, added_ended, added_running, ids, run, written

EVERYTHING = EndedFilter()
GOOD = frozenset({RunState.DONE})


@pytest.fixture
def mixed(store: Store) -> None:
    """The ids say how many seconds ago they ended, and how; the ticks have another order. Two jobs, turn by turn."""
    for number, exit_code in enumerate((0, 1, 0, 1, 0)):
        state = "failed" if exit_code else "done"
        at, tick = NOW - number * SECOND, NOW - HOUR + number * SECOND
        added_ended(store, id=f"{number}-{state}", job_id="ab"[number % 2], tick=tick, at=at, exit_code=exit_code)
    added(store, job_id="a", id="queued")
    added_claimed(store, job_id="a", id="claimed")
    added_running(store, job_id="a", id="running")
    written(store, missed(added(store, job_id="a", id="missed"), "nobody was there", NOW))


@pytest.mark.usefixtures("mixed")
def test_runs_that_a_node_had_taken_are_listed_by_their_end_the_latest_first(store: Store) -> None:
    assert ids(store.runs.ended(EVERYTHING, limit=100)) == ["0-done", "1-failed", "2-done", "3-failed", "4-done"]


@pytest.mark.usefixtures("mixed")
def test_a_list_of_ended_runs_is_as_long_as_was_asked_for(store: Store) -> None:
    assert ids(store.runs.ended(EVERYTHING, limit=2)) == ["0-done", "1-failed"]
    assert store.runs.ended(EVERYTHING, limit=0) == []


@pytest.mark.usefixtures("mixed")
def test_ended_runs_of_a_job_are_listed(store: Store) -> None:
    assert ids(store.runs.ended(EndedFilter(job_id="b"), limit=100)) == ["1-failed", "3-failed"]


@pytest.mark.usefixtures("mixed")
def test_ended_runs_in_some_states_are_listed(store: Store) -> None:
    assert ids(store.runs.ended(EndedFilter(states=GOOD), limit=100)) == ["0-done", "2-done", "4-done"]


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("job_id", ["a", None])
def test_runs_that_ended_in_some_time_are_listed(store: Store, job_id: str | None) -> None:
    wanted = EndedFilter(job_id=job_id, states=GOOD, since=NOW - 2 * SECOND, until=NOW)

    assert ids(store.runs.ended(wanted, limit=100)) == ["2-done"]


@pytest.mark.parametrize("job_id", ["a", None])
def test_of_runs_that_ended_together_the_first_are_those_with_the_highest_ids(store: Store, job_id: str | None) -> None:
    for number, name in enumerate("bdace"):
        added_ended(store, id=name, job_id="a", tick=NOW - HOUR + number * SECOND)
    wanted = EndedFilter(job_id=job_id)

    assert ["".join(ids(store.runs.ended(wanted, limit=length))) for length in range(6)] == ["", "e", "ed", "edc", "edcb", "edcba"]


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("wanted", [EVERYTHING, EndedFilter(job_id="a", states=GOOD), EndedFilter(until=NOW - SECOND)])
def test_keys_of_ended_runs_are_those_of_the_list(store: Store, wanted: EndedFilter) -> None:
    for limit in range(7):
        assert store.runs.ended_keys(wanted, limit=limit) == [(one.ended_at, one.id) for one in store.runs.ended(wanted, limit=limit)]


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("wanted", [RunFilter(), RunFilter(job_id="a"), RunFilter(states=GOOD, until=NOW)])
def test_keys_of_runs_are_those_of_the_list(store: Store, wanted: RunFilter) -> None:
    listed = store.runs.select(wanted, limit=100)
    keys = store.runs.keys(wanted, limit=100)

    assert [(key.tick, key.id, key.state, key.was_taken) for key in keys] == [
        (one.tick, one.id, one.state, one.attempt > 0) for one in listed
    ]
    assert store.runs.keys(wanted, limit=2) + store.runs.keys(wanted, before=(listed[1].tick, listed[1].id), limit=100) == keys


@pytest.mark.usefixtures("mixed")
def test_ended_runs_are_counted_by_state(store: Store) -> None:
    assert store.runs.tally_ended(EVERYTHING, limit=100) == {RunState.DONE: 3, RunState.FAILED: 2}


@pytest.mark.usefixtures("mixed")
def test_only_the_first_so_many_ended_runs_are_counted(store: Store) -> None:
    assert store.runs.tally_ended(EndedFilter(since=NOW - 3 * SECOND), limit=3) == {RunState.DONE: 2, RunState.FAILED: 1}
    assert store.runs.tally_ended(EVERYTHING, limit=0) == {}


@pytest.mark.usefixtures("mixed")
def test_of_each_job_the_run_that_ended_last_is_found(store: Store) -> None:
    found = store.runs.last_ended(["a", "b", "nosuchjob"])

    assert {job_id: one.id for job_id, one in found.items()} == {"a": "0-done", "b": "1-failed"}


def test_a_job_of_which_no_run_was_taken_has_none_that_ended_last(store: Store) -> None:
    written(store, missed(added(store, job_id="a"), "nobody was there", NOW))

    assert store.runs.last_ended(["a"]) == {}


def test_the_last_ended_runs_of_many_jobs_are_found_at_once(store: Store) -> None:
    runs = [replace(run(job_id=f"many-{number}"), state=RunState.DONE, attempt=1, ended_at=NOW) for number in range(250)]
    store.runs.add(runs)

    assert store.runs.last_ended([one.job_id for one in runs]) == {one.job_id: one for one in runs}


def test_the_last_ended_runs_of_no_jobs_are_none(store: Store) -> None:
    assert store.runs.last_ended([]) == {}


@pytest.mark.usefixtures("mixed")
def test_runs_are_counted_by_state_and_whether_a_node_has_taken_them(store: Store) -> None:
    assert store.runs.tally(RunFilter(job_id="a"), limit=100) == {
        (RunState.DONE, True): 3,
        (RunState.QUEUED, False): 1,
        (RunState.CLAIMED, True): 1,
        (RunState.RUNNING, True): 1,
        (RunState.MISSED, False): 1,
    }


@pytest.mark.usefixtures("mixed")
def test_only_the_newest_so_many_runs_are_counted(store: Store) -> None:
    newest = store.runs.select(RunFilter(until=NOW), limit=2)

    assert [one.state for one in newest] == [RunState.DONE, RunState.FAILED]
    assert store.runs.tally(RunFilter(until=NOW), limit=2) == {(RunState.DONE, True): 1, (RunState.FAILED, True): 1}
    assert store.runs.tally(RunFilter(), limit=0) == {}


def test_a_run_that_waits_for_another_node_counts_as_taken(store: Store) -> None:
    one: Run = added_running(store)
    written(store, rerun(one, "its node is gone", NOW))

    assert store.runs.tally(RunFilter(), limit=10) == {(RunState.QUEUED, True): 1}
