"""Opening the embedded store."""

from __future__ import annotations

import sqlite3
from contextlib import nullcontext
from pathlib import Path

from coal_mine.domain.errors import StoreUnavailable
from coal_mine.stores.waiting import Waiting

from .audit import SqliteAudit
from .canaries import SqliteCanaries
from .database import Database
from .jobs import SqliteJobs
from .nodes import SqliteNodes
from .options import SqliteOptions
from .outbox import SqliteOutbox
from .output import SqliteOutput
from .runs import SqliteRuns
from .servers import SqliteServers
from .triggers import Triggers

_NEEDED = (3, 38, 0)  # its JSON functions are built in


class SqliteStore:
    """See ports.Store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.outbox = SqliteOutbox(database)
        self.canaries = SqliteCanaries(database, self.outbox.precedence)
        self.servers = SqliteServers(database)
        self.jobs = SqliteJobs(database)
        self.runs = SqliteRuns(database)
        self.nodes = SqliteNodes(database)
        self.output = SqliteOutput(database)
        self.audit = SqliteAudit(database)
        self.options = SqliteOptions(database)

    def close(self) -> None:
        self._database.close()


def open_store(path: Path, waiting: Waiting = nullcontext) -> SqliteStore:
    """Open or create the file. The caller holds its lock (lock.py): leases of receivers that are still noted are of a dead process.

    Raises StoreUnavailable when the file cannot be used, Invalid when a newer version wrote it.
    """
    if sqlite3.sqlite_version_info < _NEEDED:
        needed = ".".join(map(str, _NEEDED))
        raise StoreUnavailable(f"SQLite {needed} or newer is needed; this Python has {sqlite3.sqlite_version}")
    triggers = Triggers()
    database = Database(path, triggers.perform, triggers.forget, waiting)
    try:
        database.write(lambda connection: connection.execute("UPDATE receivers SET lease_until = 0 WHERE lease_until > 0"))
    except BaseException:
        database.close()
        raise
    return SqliteStore(database)
