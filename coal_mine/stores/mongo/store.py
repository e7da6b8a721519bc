"""The MongoDB store: one client, one database, and the threads that work in it."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime
from queue import SimpleQueue
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from coal_mine.domain.errors import Invalid, StoreUnavailable
from coal_mine.stores.waiting import Waiting

from .audit import MongoAudit
from .canaries import MongoCanaries
from .commands import Commands
from .commit import GroupCommit
from .documents import Document
from .errors import translated
from .history import History
from .indexes import Indexes
from .jobs import MongoJobs
from .nodes import MongoNodes
from .options import MongoOptions
from .outbox import MongoOutbox
from .output import MongoOutput
from .primary import PrimaryListener
from .runs import MongoRuns
from .servers import MongoServers
from .takeover import Takeover

_log = logging.getLogger(__name__)

# Used unless the options or the URI say something else. A primary that is cut off or frozen does not break its connections. The driver
# finds out when a heartbeat and then an answer to it are overdue, 4 seconds here and up to 30 with its own values; only then it gives up
# the calls that wait on these connections, which are repeated on the new primary.
_DEFAULTS: Mapping[str, Any] = {
    "appname": "coal-mine",
    "connectTimeoutMS": 2_000,
    "heartbeatFrequencyMS": 2_000,
    "serverSelectionTimeoutMS": 5_000,
}
# On a replica set a majority has it on disk, on a standalone server its journal has: both survive a kill -9.
_DURABLE = WriteConcern("majority", j=True)
_INDEX_RETRY_SECONDS = 1.0


def open_store(hosts: str | list[str], database: str | None, options: dict[str, Any], waiting: Waiting = nullcontext) -> MongoStore:
    """The store in that database, or in the one that the URI in `hosts` names. `options` are MongoClient's.

    Raises Invalid, with the driver's text, when they are wrong. A MongoDB that does not answer is no error: calls raise StoreUnavailable
    until it does. Open it after a fork, never before: neither threads nor connections survive one.
    """
    primary = PrimaryListener()
    return MongoStore(_database(hosts, database, {**options, "event_listeners": [primary]}), primary, waiting)


def check(hosts: str | list[str], database: str | None, options: dict[str, Any]) -> str:
    """As `open_store`, but connects to nothing and starts nothing; where the data will be, in words without secrets."""
    found = _database(hosts, database, {**options, "connect": False})
    topology = found.client.topology_description
    named = ", ".join(sorted(f"{host}:{port}" for host, port in topology.server_descriptions()))
    of_set = f" (replica set {topology.replica_set_name})" if topology.replica_set_name else ""
    found.client.close()
    return f"MongoDB database {found.name} at {named or 'addresses still to be looked up'}{of_set}"


def _database(hosts: str | list[str], database: str | None, options: dict[str, Any]) -> Database[Document]:
    try:
        client = _client(hosts, options)
    except (PyMongoError, ValueError, TypeError, UserWarning) as error:
        raise Invalid(f"MongoDB cannot be used as configured: {error}") from error
    try:
        return client[database] if database else client.get_default_database()
    except PyMongoError as error:
        client.close()  # it has begun to connect
        raise Invalid(f"MongoDB's database cannot be used as configured: {error}") from error


def _client(hosts: str | list[str], options: dict[str, Any]) -> MongoClient[Document]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # that is how the driver speaks of unknown options in a URI
        return MongoClient(hosts, **_complete(hosts, options))


def _complete(hosts: str | list[str], options: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value not in (None, "")}
    named = " ".join([*given, str(hosts)]).lower()
    defaults = {name: value for name, value in _DEFAULTS.items() if name.lower() not in named}
    return {**defaults, **given, "tz_aware": True}


class MongoStore:
    """domain.ports.Store. Starts two threads: the group commit, and one for what need not be done at once."""

    def __init__(self, database: Database[Document], primary: PrimaryListener, waiting: Waiting = nullcontext) -> None:
        self._primary = primary
        self._database = database.with_options(write_concern=_DURABLE, read_preference=ReadPreference.PRIMARY)
        self._history = History(self._database)
        self._indexes = Indexes(self._database)
        self._upkeep = _Upkeep(self._indexes, self._history)
        self._commit = GroupCommit(self._database, self._history, self._upkeep.prune)
        self._outbox = MongoOutbox(self._database)
        self._canaries = MongoCanaries(self._database, self._history, self._commit, self._outbox, self._indexes)
        self._servers = MongoServers(self._database)
        self._takeover = Takeover(self._database, self._history)
        commands = Commands(self._database, waiting)
        self._jobs = MongoJobs(self._database, commands)
        self._output = MongoOutput(self._database, commands)
        self._runs = MongoRuns(self._database, commands, self._output, self._indexes)
        self._nodes = MongoNodes(self._database)
        self._audit = MongoAudit(self._database, commands)
        self._options = MongoOptions(self._database)

    @property
    def canaries(self) -> MongoCanaries:
        return self._canaries

    @property
    def outbox(self) -> MongoOutbox:
        return self._outbox

    @property
    def servers(self) -> MongoServers:
        return self._servers

    @property
    def jobs(self) -> MongoJobs:
        return self._jobs

    @property
    def runs(self) -> MongoRuns:
        return self._runs

    @property
    def nodes(self) -> MongoNodes:
        return self._nodes

    @property
    def output(self) -> MongoOutput:
        return self._output

    @property
    def audit(self) -> MongoAudit:
        return self._audit

    @property
    def options(self) -> MongoOptions:
        return self._options

    def now(self) -> datetime:
        """The primary's time."""
        with translated():
            answer = self._database.command("hello", read_preference=ReadPreference.PRIMARY, codec_options=self._database.codec_options)
        if not answer["isWritablePrimary"]:  # it was when it was chosen
            raise StoreUnavailable("MongoDB: the primary has changed")
        found: datetime = answer["localTime"]
        return found

    def on_new_primary(self, tell: Callable[[], None]) -> None:
        """Call `tell`, which must return at once, whenever another member has become the primary, or the primary was away and is back."""
        self._primary.tell.append(tell)

    def take_over(self, now: datetime) -> None:
        """Put right what a predecessor left in this database; quick, to be called at every start of a background process."""
        self._takeover.take_over(now)

    def move_histories(self, stop: threading.Event) -> None:
        """Move the histories that a predecessor left inside its canaries; returns when all are moved or `stop` is set."""
        self._takeover.move_histories(stop)

    def close(self) -> None:
        self._commit.close()
        self._upkeep.close()
        self._database.client.close()


class _Upkeep:
    """Builds the indexes, then prunes histories, in a thread of its own so that no trigger waits for it."""

    def __init__(self, indexes: Indexes, history: History) -> None:
        self._indexes = indexes
        self._history = history
        self._wanted: SimpleQueue[tuple[str, datetime] | None] = SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._thread.start()

    def prune(self, canary_id: str, now: datetime) -> None:
        self._wanted.put((canary_id, now))

    def close(self) -> None:
        self._stop.set()
        self._wanted.put(None)
        self._thread.join(10.0)

    def _run(self) -> None:
        while not self._stop.is_set() and not self._indexes.build():
            self._stop.wait(_INDEX_RETRY_SECONDS)
        while (wanted := self._wanted.get()) and not self._stop.is_set():
            try:
                with translated():
                    self._history.prune(*wanted)
            except StoreUnavailable as error:
                # Nothing is lost: readers apply the pruning rule themselves, and the canary's next hundred triggers ask again.
                _log.warning("history not pruned: %s", error, extra={"action": "prune_failed", "canary_id": wanted[0]})
