"""A real store and a service on it, at a time that only the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from coal_mine.services.canaries import Canaries
from coal_mine.stores.sqlite.store import SqliteStore, open_store
from tests.background.bureau import Bureau
from tests.background.processes import World
from tests.support.edges import FakeClock, SequenceIds
from tests.support.elastic import Elastic
from tests.support.jobs import Scene


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ids() -> SequenceIds:
    return SequenceIds()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "cm.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def canaries(store: SqliteStore, clock: FakeClock, ids: SequenceIds) -> Canaries:
    return Canaries(store, clock, ids)


@pytest.fixture
def scene(store: SqliteStore) -> Scene:
    return Scene(store)


@pytest.fixture
def world(store: SqliteStore, clock: FakeClock) -> World:
    return World(store, clock)


@pytest.fixture(scope="module")
def running_elastic() -> Iterator[Elastic]:
    with Elastic() as server:
        yield server


@pytest.fixture
def bureau(store: SqliteStore, running_elastic: Elastic) -> Iterator[Bureau]:
    """Its Elasticsearch is in a good mood, and empty."""
    running_elastic.forget()
    opened = Bureau(store, running_elastic)
    yield opened
    opened.index.close()
