"""The only place that asks what time it is."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from .domain.errors import StoreUnavailable
from .domain.ports import TRIGGER_SECONDS
from .domain.times import cut


class SystemClock:
    """This machine's clock."""

    is_known = True

    def now(self) -> datetime:
        return cut(datetime.now(UTC))


class SharedClock:
    """The store's time, by which servers that share a store agree on deadlines whatever their own clocks say.

    Between two measurements it goes on with this machine's monotonic clock, which nobody sets.
    """

    def __init__(self) -> None:
        self._start: datetime | None = None  # the store's time when the monotonic clock was zero
        self._error = timedelta()  # how far _start may be off, either way
        self._known = threading.Event()

    def now(self) -> datetime:
        """At first waits for the store to tell its time. Raises StoreUnavailable when it does not, or when the server stops."""
        start = self._start or self._awaited()
        return cut(start + timedelta(seconds=monotonic()))

    @property
    def is_known(self) -> bool:
        return self._start is not None

    def stop(self) -> None:
        """Let nobody wait any more."""
        self._known.set()

    def align(self, store_time: datetime, asked: float, answered: float) -> None:
        """The store said `store_time` at some moment between these two readings of `monotonic`."""
        error = timedelta(seconds=answered - asked) / 2
        start = store_time - timedelta(seconds=(asked + answered) / 2)
        # A measurement that agrees with what we have, within its own error, would only shake the clock.
        if self._start is None or abs(start - self._start) > error or error < self._error:
            self._start, self._error = start, error
            self._known.set()

    def _awaited(self) -> datetime:
        self._known.wait(TRIGGER_SECONDS)
        if self._start is None:
            raise StoreUnavailable("the store has not told its time yet")
        return self._start

    @property
    def skew(self) -> timedelta | None:
        """How far this machine's own clock is ahead of the store's; None before the store has told its time."""
        return None if self._start is None else datetime.now(UTC) - self._start - timedelta(seconds=monotonic())


def monotonic() -> float:
    """Seconds that only ever grow, for measuring and waiting."""
    return time.monotonic()
