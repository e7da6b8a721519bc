"""Files of other versions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from coal_mine.domain.errors import Invalid
from coal_mine.stores.sqlite.schema import STEPS
from coal_mine.stores.sqlite.store import open_store
from tests.stores.examples import added
from tests.stores.job_examples import added_job


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def test_a_new_file_has_the_newest_version(tmp_path: Path) -> None:
    open_store(tmp_path / "cm.sqlite3").close()

    assert version(tmp_path / "cm.sqlite3") == len(STEPS)


@pytest.mark.parametrize("older", range(1, len(STEPS)))
def test_a_file_of_each_older_version_takes_canaries_and_jobs(tmp_path: Path, older: int) -> None:
    with closing(sqlite3.connect(tmp_path / "cm.sqlite3")) as connection:
        connection.executescript(f"{''.join(STEPS[:older])} PRAGMA user_version = {older};")
    with closing(open_store(tmp_path / "cm.sqlite3")) as store:
        canary, job = added(store), added_job(store)

        assert (store.canaries.get(canary.id), store.jobs.get(job.id)) == (canary, job)
    assert version(tmp_path / "cm.sqlite3") == len(STEPS)


def test_what_is_in_a_file_survives_its_opening(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "cm.sqlite3")) as store:
        job = added_job(store)
    with closing(open_store(tmp_path / "cm.sqlite3")) as store:
        assert store.jobs.get(job.id) == job


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path / "cm.sqlite3").close()
    with closing(sqlite3.connect(tmp_path / "cm.sqlite3")) as connection:
        connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")

    with pytest.raises(Invalid, match="install the newer one again"):
        open_store(tmp_path / "cm.sqlite3")
