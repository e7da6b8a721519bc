"""What only SQLite does with runs: batches in one transaction, and definitions that are kept once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from coal_mine.domain.job import Definition
from coal_mine.domain.run import Outcome, ended
from coal_mine.stores.sqlite.store import SqliteStore, open_store
from tests.stores.examples import HOUR, NOW, SECOND
from tests.stores.run_examples import added, added_ended, claim, result, run, written


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(open_store(tmp_path / "cm.sqlite3")) as opened:
        yield opened


def definitions(path: Path) -> int:
    with closing(sqlite3.connect(path / "cm.sqlite3")) as connection:
        (found,) = connection.execute("SELECT count(*) FROM run_definitions").fetchone()
    return int(found)


def test_a_lock_that_a_batch_frees_is_taken_by_the_next_change_of_it(store: SqliteStore) -> None:
    held = written(store, claim(added(store), lock="one"))
    changes = [claim(added(store), lock="one"), ended(held, result()), claim(added(store), lock="one"), claim(added(store), lock="one")]

    assert store.runs.change(changes) == [Outcome.LOCKED, Outcome.WON, Outcome.WON, Outcome.LOCKED]
    assert store.runs.get(changes[2].before.id) == changes[2].after


def test_a_lock_that_is_taken_and_freed_by_one_batch_of_alike_changes_is_passed_on(store: SqliteStore) -> None:
    holder, taker = written(store, claim(added(store), lock="one")), added(store)
    swapped = [replace(claim(holder), after=replace(holder, lock="two")), claim(taker, lock="one")]

    assert store.runs.change(swapped) == [Outcome.WON, Outcome.WON]
    assert [store.runs.get(one.id).lock for one in (holder, taker)] == ["two", "one"]


def test_a_reason_that_is_no_text_keeps_no_other_change_from_being_written(store: SqliteStore) -> None:
    strange, plain = (written(store, claim(added(store))) for _ in range(2))
    changes = [ended(one, replace(result(1), error=error)) for one, error in ((strange, "a\udcff\0b"), (plain, "c"))]
    changes[0] = replace(changes[0], after=replace(changes[0].after, reason="a\udcff\0b"))

    assert store.runs.change(changes) == [Outcome.WON, Outcome.WON]
    assert store.runs.get(strange.id).reason == "a?\ufffdb"
    assert store.runs.get(strange.id).result == changes[0].after.result


def test_runs_of_one_definition_keep_it_once(store: SqliteStore, tmp_path: Path) -> None:
    store.runs.add([run(job_id="job", tick=NOW + place * SECOND) for place in range(10)])
    added(store, job_id="job", tick=NOW + HOUR, definition=Definition(name="Other", command="true"))

    assert definitions(tmp_path) == 2


def test_two_jobs_with_equal_definitions_share_none(store: SqliteStore, tmp_path: Path) -> None:
    added_ended(store, job_id="job1")
    other = added(store, job_id="job2")
    store.runs.forget(NOW + HOUR, limit=10)

    assert store.runs.get(other.id) == other
    assert definitions(tmp_path) == 1


def test_a_definition_stays_while_a_run_has_it(store: SqliteStore) -> None:
    added_ended(store, job_id="job")
    later = added(store, job_id="job", tick=NOW + SECOND)
    store.runs.forget(NOW + HOUR, limit=10)

    assert store.runs.get(later.id) == later


def test_a_definition_goes_with_its_last_run(store: SqliteStore, tmp_path: Path) -> None:
    added_ended(store, job_id="job")
    added(store, job_id="job", tick=NOW + SECOND, definition=Definition(name="Other", command="true"))
    store.runs.forget(NOW + HOUR, limit=10)

    assert definitions(tmp_path) == 1


def test_a_definition_goes_with_a_run_that_was_withdrawn(store: SqliteStore, tmp_path: Path) -> None:
    added(store, job_id="job", tick=NOW + SECOND)
    store.runs.withdraw("job", below=2, after=NOW)

    assert definitions(tmp_path) == 0


def test_a_definition_goes_with_a_run_that_was_replaced(store: SqliteStore, tmp_path: Path) -> None:
    one = added(store, job_id="job")
    store.runs.add([newer := run(job_id="job", job_version=2, definition=Definition(name="Other", command="true"))])

    assert store.runs.get(one.id) == newer
    assert definitions(tmp_path) == 1


def test_a_run_that_exists_already_leaves_no_definition_behind(store: SqliteStore, tmp_path: Path) -> None:
    added(store, job_id="job", job_version=2)
    store.runs.add([run(job_id="job", definition=Definition(name="Older", command="true"))])

    assert definitions(tmp_path) == 1
