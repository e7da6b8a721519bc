"""Runs and entries of jobs whose ids have nothing but small letters and digits, as the paths of some dialects need them."""

from __future__ import annotations

import pytest

from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditKind
from coal_mine.domain.job_ports import EndedFilter, RunFilter
from coal_mine.domain.ports import Store
from coal_mine.domain.run import RunState
from tests.stores.examples import NOW, SECOND
from tests.stores.run_examples import added_ended, ids

JOBS = ["plain7", "spinup:space:plain7", "A", "a-b", "a.b", "7"]
GOOD = frozenset({RunState.DONE})


@pytest.fixture(autouse=True)
def mixed(store: Store) -> None:
    """Of each job a run and an entry, which have its name; the first are the newest."""
    for number, name in enumerate(JOBS):
        at = NOW - number * SECOND
        added_ended(store, id=f"of {name}", job_id=name, tick=at - SECOND, at=at, exit_code=0)
        store.audit.add([AuditEntry(id=f"of {name}", at=at, kind=AuditKind.CHANGED, subject=name, by="jo")])


@pytest.mark.parametrize("states", [None, GOOD])
def test_runs_of_such_jobs_are_listed_and_counted(store: Store, states: frozenset[RunState] | None) -> None:
    wanted = RunFilter(plain_ids=True, states=states)

    assert ids(store.runs.select(wanted, limit=10)) == ["of plain7", "of 7"]
    assert ids(store.runs.select(wanted, before=(NOW - SECOND, "of plain7"), limit=10)) == ["of 7"]
    assert store.runs.tally(wanted, limit=10) == {(RunState.DONE, True): 2}


@pytest.mark.parametrize("states", [None, GOOD])
def test_runs_of_such_jobs_are_listed_and_counted_by_their_end(store: Store, states: frozenset[RunState] | None) -> None:
    wanted = EndedFilter(plain_ids=True, states=states)

    assert ids(store.runs.ended(wanted, limit=10)) == ["of plain7", "of 7"]
    assert store.runs.tally_ended(wanted, limit=10) == {RunState.DONE: 2}


def test_entries_about_such_jobs_are_listed_and_counted(store: Store) -> None:
    wanted = AuditFilter(plain_subjects=True)

    assert [entry.id for entry in store.audit.select(wanted, limit=10)] == ["of plain7", "of 7"]
    assert store.audit.count(wanted, limit=10) == {AuditKind.CHANGED: 2}


def test_without_that_wish_all_are_listed(store: Store) -> None:
    found = (
        store.runs.select(RunFilter(), limit=10),
        store.runs.ended(EndedFilter(), limit=10),
        store.audit.select(AuditFilter(), limit=10),
    )

    assert [len(list(each)) for each in found] == [len(JOBS)] * 3
