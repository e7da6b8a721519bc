"""The indexes: as few as possible, for each one that holds a field that triggers change is written by every trigger."""

from __future__ import annotations

import logging
import threading

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from coal_mine.domain.errors import StoreUnavailable

from .documents import Document

_log = logging.getLogger(__name__)

_CANARIES = [
    IndexModel([("id", ASCENDING)], unique=True),
    IndexModel([("slug", ASCENDING)], unique=True),
    IndexModel([("paused", ASCENDING), ("late", ASCENDING), ("deadline", ASCENDING)]),
    # Only of canaries that owe something: nearly empty, and triggers do not touch it.
    IndexModel([("owed.id", ASCENDING)], partialFilterExpression={"owed.id": {"$exists": True}}),
]
_DELIVERIES = [
    IndexModel([("receiver", ASCENDING), ("order", ASCENDING)], partialFilterExpression={"state": "waiting"}),
    IndexModel([("order", ASCENDING)]),
    IndexModel([("finished_at", ASCENDING)], sparse=True),
]
_RECEIVERS = [IndexModel([("waiting_since", ASCENDING)], sparse=True)]
_JOBS = [
    IndexModel([("next_at", ASCENDING), ("_id", ASCENDING)], partialFilterExpression={"next_at": {"$exists": True}}),
    IndexModel([("changed_at", ASCENDING), ("_id", ASCENDING)]),
    IndexModel([("name", ASCENDING), ("_id", ASCENDING)]),
    IndexModel([("tags", ASCENDING), ("_id", ASCENDING)]),
    IndexModel([("pools", ASCENDING), ("_id", ASCENDING)]),
]
# With all that a key has, so that keys are read without a look at the documents, which may be long.
_AUDIT = [
    IndexModel([("at", ASCENDING), ("_id", ASCENDING), ("kind", ASCENDING), ("subject", ASCENDING)]),
    IndexModel([("subject", ASCENDING), ("at", ASCENDING), ("_id", ASCENDING), ("kind", ASCENDING)]),
]
_LOCKS = IndexModel([("lock", ASCENDING)], unique=True, partialFilterExpression={"lock": {"$exists": True}})
# See run_documents.py for the fields. Most are there for few runs at a time, whatever the number of those that have ended.
_RUNS = [
    IndexModel(
        [("takers", ASCENDING), ("due_at", ASCENDING), ("priority", DESCENDING), ("_id", ASCENDING)],
        partialFilterExpression={"takers": {"$exists": True}},
    ),
    IndexModel([("expires_at", ASCENDING), ("_id", ASCENDING)], partialFilterExpression={"expires_at": {"$exists": True}}),
    IndexModel([("open_of", ASCENDING), ("tick", ASCENDING), ("_id", ASCENDING)], partialFilterExpression={"open_of": {"$exists": True}}),
    IndexModel([("live_on", ASCENDING), ("orders", ASCENDING)], partialFilterExpression={"live_on": {"$exists": True}}),
    IndexModel([("owed_since", ASCENDING)], partialFilterExpression={"owed_since": {"$exists": True}}),
    # For lists of what was. Each is written once for a run.
    IndexModel([("tick", ASCENDING), ("_id", ASCENDING)]),
    IndexModel([("job_id", ASCENDING), ("tick", ASCENDING), ("_id", ASCENDING)]),
    IndexModel([("node", ASCENDING), ("tick", ASCENDING), ("_id", ASCENDING)], partialFilterExpression={"node": {"$exists": True}}),
    IndexModel([("outcome", ASCENDING), ("tick", ASCENDING), ("_id", ASCENDING)], partialFilterExpression={"outcome": {"$exists": True}}),
    IndexModel([("over_at", ASCENDING), ("_id", ASCENDING)], partialFilterExpression={"over_at": {"$exists": True}}),
    IndexModel(
        [("job_id", ASCENDING), ("over_at", ASCENDING), ("_id", ASCENDING)],
        partialFilterExpression={"over_at": {"$exists": True}, "attempt": {"$gt": 0}},
    ),
]
# For queries that nobody asks any more: the predecessor's, and those of earlier versions.
_NEEDLESS = {
    "canaries": ("paused_1_deadline_1", "late_1_deadline_1"),
    "runs": ("over_at_1",),
}
_WAIT_SECONDS = 10.0


class Indexes:
    """Built in the background, since MongoDB may not be there when the store is opened; triggers work without them."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._unique = threading.Event()
        self._locks = threading.Event()
        self._fault = "MongoDB does not answer"

    def wait(self) -> None:
        """Until what must be unique is kept unique. Raises StoreUnavailable."""
        if not self._unique.wait(_WAIT_SECONDS):
            raise StoreUnavailable(f"the indexes of the canaries are not ready: {self._fault}")

    def wait_for_locks(self) -> None:
        """Until no two runs can have the same lock. Raises StoreUnavailable."""
        if not self._locks.wait(_WAIT_SECONDS):
            raise StoreUnavailable(f"the indexes of the runs are not ready: {self._fault}")

    def build(self) -> bool:
        """False: to be tried again."""
        try:
            self._rebuild_id()
            self._database["canaries"].create_indexes(_CANARIES)
            self._unique.set()
            self._database["runs"].create_indexes([_LOCKS])
            self._locks.set()
            self._database["deliveries"].create_indexes(_DELIVERIES)
            self._database["receivers"].create_indexes(_RECEIVERS)
            self._database["runs"].create_indexes(_RUNS)
            self._database["jobs"].create_indexes(_JOBS)
            self._database["audit"].create_indexes(_AUDIT)
            self._drop_needless()
        except OperationFailure as error:
            self._fault = str(error)[:300]
            _log.error("indexes not built: %s", self._fault, extra={"action": "index_failed"})
            return False
        except PyMongoError as error:
            self._fault = str(error).partition(", Timeout:")[0][:300]
            _log.warning("indexes not built yet: %s", self._fault, extra={"action": "index_delayed"})
            return False
        return True

    def _rebuild_id(self) -> None:
        """The predecessor's versions 0.4.1 to 0.4.3 made this index without making it unique."""
        existing = self._database["canaries"].index_information().get("id_1")
        if existing and not existing.get("unique"):
            self._database["canaries"].drop_index("id_1")

    def _drop_needless(self) -> None:
        for collection, names in _NEEDLESS.items():
            existing = self._database[collection].index_information()
            for name in existing.keys() & set(names):
                self._database[collection].drop_index(name)
