"""A thread that repeats one step whenever there is something to do."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from typing import Protocol

from coal_mine.clock import monotonic
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.ports import Clock

_log = logging.getLogger(__name__)

# Other processes change the store without telling us, so nobody sleeps longer than this.
MAX_SLEEP = timedelta(milliseconds=500)
_AFTER_FAULT = timedelta(seconds=1)


class Step(Protocol):
    def run_once(self, now: datetime) -> datetime | None:
        """Do what is due and say when to be called next: at that time, or None when nothing is known to come."""


class Loop:
    """Runs a step in a thread of its own until stopped."""

    def __init__(self, name: str, step: Step, clock: Clock, *, max_sleep: timedelta = MAX_SLEEP) -> None:
        self.name = name
        self._max_sleep = max_sleep
        self._step = step
        self._clock = clock
        self._wake = threading.Event()
        self._stopping = False
        self._last_success = monotonic()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something has changed that may be due earlier than the step knows."""
        self._wake.set()

    def tell_to_stop(self) -> None:
        """After the step under way. May be called twice, and before the start."""
        self._stopping = True
        self._wake.set()

    def join(self, patience: float) -> bool:
        """Wait for its end for at most so many seconds; True when it has ended."""
        if self._thread.ident is not None:
            self._thread.join(patience)
        return not self._thread.is_alive()

    def seconds_since_success(self) -> float:
        return monotonic() - self._last_success

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(self._once().total_seconds())
            self._wake.clear()  # after it nothing is lost: the step comes next, whoever called

    def _once(self) -> timedelta:
        """How long to sleep after one step."""
        try:
            next_at = self._step.run_once(self._clock.now())
        except StoreUnavailable as error:
            _log.warning("%s: %s; trying again", self.name, error, extra={"action": "store_unavailable"})
            return _AFTER_FAULT
        except Exception:  # noqa: BLE001 - the thread's top: one fault must not end the watching
            _log.exception("%s failed; trying again", self.name, extra={"action": "loop_failed"})
            return _AFTER_FAULT
        self._last_success = monotonic()
        if next_at is None:
            return self._max_sleep
        return min(max(next_at - self._clock.now(), timedelta()), self._max_sleep)
