"""The surroundings of jobs on MongoDB; those of tests/support/jobs.py are on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from coal_mine.stores.mongo.store import open_store
from tests.stores.conftest import database_of
from tests.support.jobs import Scene
from tests.support.mongod import Mongod


@contextmanager
def scene_on(server: Mongod) -> Iterator[Scene]:
    """In a database of its own."""
    with database_of(server) as database:
        store = open_store(server.uri, database.name, {})
        yield Scene(store)
        store.close()
