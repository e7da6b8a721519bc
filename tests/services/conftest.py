"""Services on a real SQLite store, with a clock that the tests move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from coal_mine.domain.ports import Store
from coal_mine.services.job_canaries import JobCanaries
from coal_mine.services.jobs import Jobs
from coal_mine.services.runs import Runs
from coal_mine.stores.sqlite.store import open_store
from tests.support.edges import FakeClock, SequenceIds
from tests.support.jobs import Scene, scene_in


@dataclass
class Office:
    """All that is needed to work with jobs."""

    store: Store
    clock: FakeClock
    jobs: Jobs
    runs: Runs


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store, clock, ids = open_store(tmp_path / "coal-mine.sqlite3"), FakeClock(), SequenceIds()
    yield Office(store, clock, Jobs(store, clock, ids, JobCanaries(store, ids)), Runs(store, clock, ids))
    store.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path) as one:
        yield one
