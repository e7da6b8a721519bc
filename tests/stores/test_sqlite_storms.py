"""More canaries than the embedded store changes in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from coal_mine.domain.ports import CanaryFilter
from coal_mine.stores.sqlite.store import SqliteStore, open_store
from tests.stores.examples import HOUR, NOW, SECOND, added

_COUNT = 12_000
_COPY = """
    INSERT INTO canaries (id, name, slug, description, periodicity, emails, paused, late, deadline, last_event_at, version)
    WITH RECURSIVE copies (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM copies WHERE n < ?)
    SELECT id || n, name, slug || n, description, periodicity, emails, paused, late, deadline, last_event_at, version
    FROM canaries, copies
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    path = tmp_path / "coal-mine.sqlite"
    with closing(open_store(path)) as opened:
        added(opened)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(_COPY, (_COUNT,))
        yield opened


def test_a_storm_is_marked_late_by_one_call(store: SqliteStore) -> None:
    assert store.canaries.mark_late(NOW + HOUR) == _COUNT
    assert sum(1 for _ in store.canaries.select(CanaryFilter(late=False))) == 0


def test_none_of_a_storm_is_marked_before_its_time(store: SqliteStore) -> None:
    assert store.canaries.mark_late(NOW + HOUR - SECOND) == 0


def test_a_storm_becomes_one_delivery_for_each(store: SqliteStore) -> None:
    store.canaries.mark_late(NOW + HOUR)
    while store.outbox.expand():
        pass

    assert len({delivery.id for delivery in store.outbox.deliveries(limit=2 * _COUNT)}) == _COUNT
