"""Runs by the time of their end, as logs and summaries tell of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coal_mine.domain.job_ports import EndedFilter, RunFilter
from coal_mine.domain.key import Key
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
@pytest.mark.parametrize("job_id", ["a", None])
def test_runs_that_ended_in_some_time_are_listed(store: Store, job_id: str | None) -> None:
    wanted = EndedFilter(job_id=job_id, since=NOW - 2 * SECOND, until=NOW)

    assert ids(store.runs.ended(wanted, limit=100)) == (["2-done"] if job_id else ["1-failed", "2-done"])


@pytest.mark.parametrize("job_id", ["a", None])
def test_of_runs_that_ended_together_the_first_are_those_with_the_highest_ids(store: Store, job_id: str | None) -> None:
    for number, name in enumerate("bdace"):
        added_ended(store, id=name, job_id="a", tick=NOW - HOUR + number * SECOND)
    wanted = EndedFilter(job_id=job_id)

    assert ["".join(ids(store.runs.ended(wanted, limit=length))) for length in range(6)] == ["", "e", "ed", "edc", "edcb", "edcba"]


@pytest.mark.usefixtures("mixed")
def test_an_ended_run_is_listed_with_its_end_its_job_and_its_state(store: Store) -> None:
    assert store.runs.ended(EVERYTHING, limit=2) == [
        Key(at=NOW, id="0-done", about="a", what=RunState.DONE),
        Key(at=NOW - SECOND, id="1-failed", about="b", what=RunState.FAILED),
    ]


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("wanted", [RunFilter(), RunFilter(job_id="a"), RunFilter(states=GOOD, until=NOW)])
def test_keys_of_runs_are_those_of_the_list(store: Store, wanted: RunFilter) -> None:
    for limit in (0, 2, 100):
        listed = store.runs.select(wanted, limit=limit)

        assert store.runs.keys(wanted, limit=limit) == [
            Key(at=one.tick, id=one.id, about=one.job_id, what=one.state, was_taken=one.attempt > 0) for one in listed
        ]


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


def test_a_run_that_waits_for_another_node_counts_as_taken(store: Store) -> None:
    one: Run = added_running(store)
    written(store, rerun(one, "its node is gone", NOW))

    assert [(key.what, key.was_taken) for key in store.runs.keys(RunFilter(), limit=10)] == [(RunState.QUEUED, True)]
