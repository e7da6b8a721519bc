"""The store that the configuration names. Each needs libraries that are worth a third of a process's start, and gets only its own."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from coal_mine.config import Config, MongoConfig
from coal_mine.domain.errors import Invalid
from coal_mine.stores.waiting import Waiting

if TYPE_CHECKING:
    from coal_mine.stores.mongo.store import MongoStore
    from coal_mine.stores.sqlite.store import SqliteStore


def open_mongo(config: MongoConfig, *, waiting: Waiting = nullcontext) -> MongoStore:
    """A thread that only waits for the store does so in `waiting`. Raises Invalid; see stores.mongo.store.open_store."""
    from coal_mine.stores.mongo.store import open_store

    return open_store(config.hosts, config.database, config.options, waiting)


def open_sqlite(config: Config, *, waiting: Waiting = nullcontext) -> SqliteStore:
    """As `open_mongo`, in this machine's file. Raises StoreUnavailable and Invalid."""
    from coal_mine.stores.sqlite.store import open_store

    return open_store(config.sqlite_path, waiting)


def check_store(config: Config) -> str:
    """Find faults while they can still be told in one line. Raises StoreUnavailable or Invalid; returns where the data is."""
    if config.mongodb is None:
        open_sqlite(config).close()
        return f"SQLite, in {config.sqlite_path}"
    from coal_mine.stores.mongo.store import check

    try:
        return check(config.mongodb.hosts, config.mongodb.database, config.mongodb.options)
    except Invalid as error:
        raise Invalid(f"{config.source}: [mongodb]: {error}") from error
