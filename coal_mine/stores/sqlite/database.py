"""The file: one thread that writes, a few connections that read."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from coal_mine.domain.errors import CoalMineError, StoreUnavailable
from coal_mine.domain.pending import PendingTrigger, tell_all
from coal_mine.domain.ports import TRIGGER_SECONDS
from coal_mine.stores.waiting import Waiting

from .schema import bring_up_to_date

# Triggers of a million canaries touch pages all over the file; the longer they are gathered, the fewer are written twice. While they are
# carried over to the file, triggers wait: these 32 MB take some tens of milliseconds.
_CHECKPOINT_PAGES = 8_000
_WRITER_CACHE_KIB = 32_768
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class _Change(Generic[_T]):
    """A piece of writing that a thread waits for."""

    __slots__ = ("_done", "_error", "_result", "_work")

    def __init__(self, work: Callable[[sqlite3.Connection], _T]) -> None:
        self._work = work
        self._result: _T
        self._error: Exception | None = None
        self._done = threading.Lock()  # released when the change is committed or given up: a bare lock is the cheapest way to wait
        self._done.acquire()

    def perform(self, connection: sqlite3.Connection) -> None:
        """Work must raise its refusals (errors of the domain) before it writes anything: the others' changes are committed all the same."""
        self._error = None
        try:
            self._result = self._work(connection)
        except CoalMineError as refusal:
            self._error = refusal

    def finish(self, error: Exception | None = None) -> None:
        self._error = error or self._error
        self._done.release()

    def wait(self) -> _T:
        if not self._done.acquire(timeout=TRIGGER_SECONDS):
            raise StoreUnavailable(f"the store did not commit within {TRIGGER_SECONDS:.0f} s")
        if self._error:
            raise self._error
        return self._result


class Database:
    """All writing goes through one thread, which commits together whatever has come in while it was busy.

    Changes are carried out in the order in which they came. So when the watcher marks canaries late, every trigger that was handed in
    before is already counted.
    """

    def __init__(
        self,
        path: Path,
        perform_triggers: Callable[[sqlite3.Connection, list[PendingTrigger]], None],
        undone: Callable[[], None],
        waiting: Waiting = nullcontext,
    ) -> None:
        """`perform_triggers` sets the outcome or the error of each, inside a transaction; `undone` is called when one was rolled back."""
        self.path = path
        self._perform_triggers = perform_triggers
        self._undone = undone
        self._waiting = waiting
        self._idle: deque[sqlite3.Connection] = deque()
        self._queue: SimpleQueue[_Change[Any] | PendingTrigger | None] = SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        _make_private(path)
        with self._translated():
            connection = self._connect()
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA cache_size = -{_WRITER_CACHE_KIB}")
            bring_up_to_date(connection, str(path))
        self._writer = threading.Thread(target=self._write_all, args=(connection,), name="sqlite-writer")
        self._writer.start()

    def write(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """What `work` returns, after it is on the disk."""
        if self._closed:
            raise StoreUnavailable("the server is stopping")
        change = _Change(work)
        self._queue.put(change)
        with self._waiting():
            return change.wait()

    def submit(self, pending: PendingTrigger) -> None:
        """As `write`, without waiting."""
        if self._closed:
            raise StoreUnavailable("the server is stopping")
        self._queue.put(pending)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection on which all that was committed before can be read."""
        with self._translated():
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect()
            try:
                yield connection
            finally:
                self._idle.append(connection)

    def close(self) -> None:
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._queue.put(None)
        self._writer.join()
        while not self._queue.empty():
            late = self._queue.get()
            if late:
                _give_up(late, StoreUnavailable("the server is stopping"))
        while self._idle:
            self._idle.pop().close()

    def _connect(self) -> sqlite3.Connection:
        # Autocommit: we say ourselves where a transaction begins. The writer's connection is made by another thread than uses it.
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, cached_statements=256)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 5000")
        return connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{self.path}: {error}") from error

    def _write_all(self, connection: sqlite3.Connection) -> None:
        stopping = False
        while not stopping:
            waiting = [self._queue.get()]
            try:
                while True:
                    waiting.append(self._queue.get_nowait())
            except Empty:
                pass
            stopping = None in waiting
            items = [item for item in waiting if item]
            if items:
                self._commit(connection, items)
        connection.close()

    def _commit(self, connection: sqlite3.Connection, items: list[_Change[Any] | PendingTrigger]) -> None:
        try:
            with self._translated():
                connection.execute("BEGIN IMMEDIATE")
                self._perform(connection, items)
                connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - the writer's top: whatever went wrong belongs to those who wait
            with suppress(sqlite3.Error):  # a full disk may have rolled back by itself
                connection.execute("ROLLBACK")
            self._undone()
            if len(items) > 1:
                for item in items:
                    self._commit(connection, [item])
            else:
                _log.error("a change was not written: %s", error, extra={"action": "write_failed"})
                _give_up(items[0], error)
        else:
            tell_all(item for item in items if isinstance(item, PendingTrigger))
            for item in items:
                if isinstance(item, _Change):
                    item.finish()

    def _perform(self, connection: sqlite3.Connection, items: list[_Change[Any] | PendingTrigger]) -> None:
        """In the order in which they came; triggers with nothing between them together."""
        triggers: list[PendingTrigger] = []
        for item in items:
            if isinstance(item, PendingTrigger):
                triggers.append(item)
                continue
            if triggers:
                self._perform_triggers(connection, triggers)
                triggers = []
            item.perform(connection)
        if triggers:
            self._perform_triggers(connection, triggers)


def _give_up(item: _Change[Any] | PendingTrigger, error: Exception) -> None:
    if isinstance(item, PendingTrigger):
        item.fail(error)
        tell_all([item])
    else:
        item.finish(error)


def _make_private(path: Path) -> None:
    """A new file is its owner's alone: it holds addresses. SQLite gives its companions the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror}") from error
