"""The stores that every test of this directory is run against."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from coal_mine.domain.ports import Store
from coal_mine.stores.mongo.store import MongoStore
from coal_mine.stores.mongo.store import open_store as open_mongo
from coal_mine.stores.sqlite.store import open_store as open_sqlite
from tests.support.mongod import Mongod

# Nothing without this prefix is ever dropped.
PREFIX = "coalmine_test_"


@pytest.fixture(params=["sqlite", "mongo", "replica-set"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    if request.param == "sqlite":
        opened = open_sqlite(tmp_path / "coal-mine.sqlite")
        yield opened
        opened.close()
    else:
        shared, database = request.getfixturevalue("mongod_store" if request.param == "mongo" else "replica_set_store")
        yield shared
        empty(database)


def empty(database: Database[dict[str, Any]]) -> None:
    """Rather than open another one: connections, threads and a dozen files for each test take longer than the tests.

    The majority is waited for only at the end, which holds for all that was deleted before.
    """
    names = database.list_collection_names()
    for name in names:
        concern = WriteConcern(w="majority" if name == names[-1] else 1)
        database.get_collection(name, write_concern=concern).delete_many({})


@pytest.fixture(scope="session")
def mongod_store(mongod: Mongod) -> Iterator[tuple[Store, Database[dict[str, Any]]]]:
    yield from _store_on(mongod)


@pytest.fixture(scope="session")
def replica_set_store(replica_set: Mongod) -> Iterator[tuple[Store, Database[dict[str, Any]]]]:
    yield from _store_on(replica_set)


def _store_on(server: Mongod) -> Iterator[tuple[Store, Database[dict[str, Any]]]]:
    with database_of(server) as database:
        opened = open_mongo(server.uri, database.name, {})
        yield opened, database
        opened.close()


@pytest.fixture
def database(mongod: Mongod) -> Iterator[Database[dict[str, Any]]]:
    """An empty database of the standalone server, without a store."""
    with database_of(mongod) as empty:
        yield empty


@pytest.fixture
def open_mongo_store(mongod: Mongod, database: Database[dict[str, Any]]) -> Iterator[Callable[[], MongoStore]]:
    """Opens stores in `database`, as several processes would."""
    opened: list[MongoStore] = []

    def open_one() -> MongoStore:
        opened.append(open_mongo(mongod.uri, database.name, {}))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@contextmanager
def database_of(server: Mongod) -> Iterator[Database[dict[str, Any]]]:
    client: MongoClient[dict[str, Any]]
    with server.client() as client:
        name = PREFIX + secrets.token_hex(6)
        yield client[name]
        client.drop_database(name)
