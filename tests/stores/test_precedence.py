"""Marking late goes before the expansion of what is owed, within one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from coal_mine.stores.mongo.store import MongoStore
from coal_mine.stores.sqlite.store import SqliteStore, open_store
from tests.stores.examples import HOUR, NOW, added, added_late


@pytest.fixture(params=["sqlite", "mongo"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteStore | MongoStore]:
    if request.param == "sqlite":
        with closing(open_store(tmp_path / "coal-mine.sqlite")) as opened:
            yield opened
    else:
        yield request.getfixturevalue("open_mongo_store")()


def test_nothing_is_expanded_while_canaries_are_being_marked(store: SqliteStore | MongoStore) -> None:
    added_late(store)
    expanding = Thread(target=store.outbox.expand)
    with store.outbox.precedence.marking():
        expanding.start()
        expanding.join(0.1)
        found = store.outbox.deliveries(limit=10)
    expanding.join()

    assert (len(found), len(store.outbox.deliveries(limit=10))) == (0, 1)


def test_an_expansion_that_is_stuck_does_not_hold_up_the_marking(store: SqliteStore | MongoStore) -> None:
    added(store)
    with store.outbox.precedence.expanding():
        assert store.canaries.mark_late(NOW + HOUR) == 1
