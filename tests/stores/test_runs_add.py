"""Runs enter the store, and leave it before anybody has claimed them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coal_mine.domain.job import Definition
from coal_mine.domain.ports import Store
from coal_mine.domain.run import Attempt, End, Origin, Result, RunState, failed, missed, unclaimed
from tests.stores.examples import HOUR, MILLISECOND, NOW, SECOND
from tests.stores.run_examples import MINUTE, added, claim, result, run, written


def test_a_run_comes_back_as_it_was_added(store: Store) -> None:
    one = added(
        store,
        definition=Definition(name="Nächtlich 💾", command=("sh", "-c", "exit 3"), pools=("a", "b")),
        parameters=(("b", ""), ("a", "ü\n")),
        command=("run", "", "x"),
        pools=("b", "a"),
        priority=-7,
        slot="node-1",
        origin=Origin.MANUAL,
        reason="because",
    )

    assert store.runs.get(one.id) == one


@pytest.mark.parametrize("command", [None, "", "echo", ("echo",), ()])
def test_each_kind_of_command_comes_back(store: Store, command: str | tuple[str, ...] | None) -> None:
    assert store.runs.get(added(store, command=command).id).command == command


def test_a_run_that_was_tried_twice_comes_back_whole(store: Store) -> None:
    past = Attempt(number=1, node="node-1", started_at=None, ended_at=NOW, exit_code=None, reason="it could not be started")
    latest = Result(
        end=End.SIGNALLED, started_at=NOW, ended_at=NOW + SECOND, signal=9, error="killed by the system", max_memory=1 << 40,
        cpu_user=1.25, cpu_system=0.001, stdout_bytes=5, stderr_bytes=1 << 33, left_behind=2,
    )  # fmt: skip
    one = added(
        store, state=RunState.FAILED, attempt=2, epoch=3, node="node-2", boot="boot", nonce="nonce", claimed_at=NOW, started_at=NOW,
        ended_at=NOW + SECOND, reason="ended by signal 9", result=latest,
        past_attempts=(past, replace(past, number=2, exit_code=0, lost=True)), owed=True,
    )  # fmt: skip

    assert store.runs.get(one.id) == one


@pytest.mark.parametrize("given", [result(0), Result(end=End.NOT_STARTED, started_at=None, ended_at=NOW, error="no such program")])
def test_each_kind_of_result_comes_back(store: Store, given: Result) -> None:
    assert store.runs.get(added(store, state=RunState.FAILED, result=given, ended_at=NOW).id).result == given


def test_runs_that_were_added_before_are_not_counted(store: Store) -> None:
    first, second = run(), run()
    store.runs.add([first])

    assert store.runs.add([first, second]) == 1


def test_runs_that_are_added_again_stay_as_they_are(store: Store) -> None:
    one = added(store)
    store.runs.add([replace(one, priority=7)])

    assert store.runs.get(one.id) == one


def test_nothing_to_add_is_nothing_added(store: Store) -> None:
    assert store.runs.add([]) == 0


def test_a_queued_run_of_an_older_version_is_replaced(store: Store) -> None:
    old = added(store)
    new = replace(old, job_version=2, priority=7, pools=("new",), start_by=NOW + HOUR, parameters=(("a", "b"),))

    assert store.runs.add([new]) == 1
    assert store.runs.get(old.id) == new


def test_a_queued_run_of_an_older_version_can_be_replaced_by_one_that_has_ended(store: Store) -> None:
    old = added(store)
    new = missed(replace(old, job_version=2), "late", NOW).after
    store.runs.add([new])

    assert store.runs.get(old.id) == new
    assert store.runs.due(NOW + HOUR, node=None, limit=10) == []


@pytest.mark.parametrize("version", [1, 2])
def test_a_run_of_the_same_or_a_newer_version_is_not_replaced(store: Store, version: int) -> None:
    there = added(store, job_version=2)

    assert store.runs.add([replace(there, job_version=version, priority=7)]) == 0
    assert store.runs.get(there.id) == there


def test_of_runs_that_are_there_those_of_an_older_version_are_replaced(store: Store) -> None:
    old, same, newer = [added(store, job_version=version) for version in (1, 2, 3)]
    new = run()
    again = [replace(one, job_version=2, priority=7) for one in (old, same, newer)]

    assert store.runs.add([*again, new]) == 2
    assert store.runs.find([one.id for one in (*again, new)]) == {one.id: one for one in (again[0], same, newer, new)}


def test_a_manual_run_is_not_replaced(store: Store) -> None:
    there = added(store, origin=Origin.MANUAL)

    assert store.runs.add([replace(there, job_version=2)]) == 0


def test_a_claimed_run_is_not_replaced(store: Store) -> None:
    claimed = written(store, claim(added(store)))

    assert store.runs.add([replace(claimed, job_version=2, state=RunState.QUEUED, epoch=0)]) == 0
    assert store.runs.get(claimed.id) == claimed


def test_a_run_that_was_claimed_and_given_back_is_not_replaced(store: Store) -> None:
    """Its epoch must not be counted anew: who claimed it first could be taken for the next."""
    one = written(store, unclaimed(written(store, claim(added(store))), ""))

    assert store.runs.add([replace(one, job_version=2, epoch=0)]) == 0


def test_an_ended_run_is_not_replaced(store: Store) -> None:
    one = written(store, failed(added(store), "no node may run as root", NOW))

    assert store.runs.add([replace(one, job_version=2, state=RunState.QUEUED)]) == 0


def test_of_the_same_run_twice_one_is_added(store: Store) -> None:
    one = run()

    assert store.runs.add([one, one]) == 1


def test_runs_of_older_versions_are_withdrawn(store: Store) -> None:
    old = [added(store, job_id="backup", tick=NOW + number * MINUTE) for number in range(3)]
    new = added(store, job_id="backup", tick=NOW + HOUR, job_version=2)

    assert store.runs.withdraw("backup", below=2, after=NOW) == 2
    assert store.runs.waiting_of("backup") == [old[0], new]


@pytest.mark.parametrize(
    "kept",
    [
        {"origin": Origin.MANUAL},
        {"epoch": 1},
        {"state": RunState.RUNNING, "epoch": 1, "node": "node-1"},
        {"state": RunState.RETRYING, "epoch": 1},
        {"state": RunState.DONE, "epoch": 1, "ended_at": NOW},
        {"state": RunState.SKIPPED, "ended_at": NOW},
        {"job_version": 2},
        {"tick": NOW},
        {"job_id": "another"},
    ],
)
def test_runs_that_are_more_than_planned_are_not_withdrawn(store: Store, kept: dict[str, object]) -> None:
    one = added(store, **{"job_id": "backup", "tick": NOW + MILLISECOND, **kept})

    assert store.runs.withdraw("backup", below=2, after=NOW) == 0
    assert store.runs.get(one.id) == one


def test_a_run_that_is_planned_again_after_it_was_withdrawn_is_new(store: Store) -> None:
    one = added(store, job_id="backup", tick=NOW + MINUTE)
    store.runs.withdraw("backup", below=2, after=NOW)
    again = replace(one, job_version=2)

    assert store.runs.add([again]) == 1
    assert store.runs.get(one.id) == again
