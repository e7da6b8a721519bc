"""What a predecessor left in the database. Both shapes are read at any time; this makes new ones of the old ones.

Every process may do it at every start, at the same time as others and while triggers arrive.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import datetime

from pymongo.database import Database

from coal_mine.clock import monotonic
from coal_mine.domain.alert import Kind
from coal_mine.domain.errors import StoreUnavailable

from .documents import Document, owing
from .errors import BULK_SECONDS, translated
from .history import History

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 2.0
_AT_ONCE = 20  # a history may have a megabyte
_PROGRESS_SECONDS = 10.0


class Takeover:
    """See MongoStore.take_over and move_histories."""

    def __init__(self, database: Database[Document], history: History) -> None:
        self._canaries = database["canaries"]
        self._history = history

    def take_over(self, now: datetime) -> None:
        """Two commands, each atomic for every canary.

        1. `notify: true` says that a mail was still to be sent when the predecessor ended. It becomes an owed alert.
        2. `late: true` with a deadline to come is a canary that the predecessor no longer watched: it lost a race between a trigger and
           the deadline, or was paused while late. It is timely, and watched again; its receivers need not hear of that. Only canaries
           that we have not written to qualify: among ours this state is a difference of a few milliseconds between two clocks.
        """
        kind = {"$cond": ["$late", str(Kind.LATE), str(Kind.RESUMED)]}
        unwatched = {"paused": False, "late": True, "deadline": {"$gt": now}, "last_event_at": {"$exists": False}}
        with translated(BULK_SECONDS):
            owed = self._canaries.update_many({"notify": True}, [{"$set": owing(kind, now)}, {"$unset": "notify"}]).modified_count
            watched = self._canaries.update_many(unwatched, {"$set": {"late": False}}).modified_count
        if owed or watched:
            _log.info("taken over: %d alerts to send, %d canaries watched again", owed, watched, extra={"action": "taken_over"})

    def move_histories(self, stop: threading.Event) -> None:
        moved, told_at = 0, monotonic()
        for document in self._with_history(stop):
            if not self._moved(document, stop):
                break
            moved += 1
            if monotonic() - told_at > _PROGRESS_SECONDS:
                _log.info("%d histories moved so far", moved, extra={"action": "histories_moving"})
                told_at = monotonic()
        if moved:
            _log.info("%d histories moved", moved, extra={"action": "histories_moved"})

    def _with_history(self, stop: threading.Event) -> Iterator[Document]:
        """The canaries that still have a history inside, with it. What cannot be moved is passed over until the next start."""
        condition: Document = {"history": {"$exists": True}}
        while not stop.is_set():
            try:
                page = self._page(condition)
            except StoreUnavailable as error:
                _log.warning("histories wait to be moved: %s", error, extra={"action": "histories_wait"})
                stop.wait(_PAUSE_SECONDS)
                continue
            if not page:
                return
            yield from page
            condition["_id"] = {"$gt": page[-1]["_id"]}

    def _page(self, condition: Document) -> list[Document]:
        with translated(BULK_SECONDS):
            return list(self._canaries.find(condition, {"id": 1, "history": 1}).sort("_id", 1).limit(_AT_ONCE).hint("_id_"))

    def _moved(self, document: Document, stop: threading.Event) -> bool:
        """False when it was told to stop."""
        while not stop.is_set():
            try:
                with translated(BULK_SECONDS):
                    self._history.move(document)
            except StoreUnavailable as error:
                _log.warning("canary %s: history not moved yet: %s", document["id"], error, extra={"action": "histories_wait"})
                stop.wait(_PAUSE_SECONDS)
            else:
                return True
        return False
