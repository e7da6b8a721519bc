"""Takes over a predecessor's database while the server already works on it."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from typing import Protocol

from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.ports import Clock

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0


class Predecessor(Protocol):
    """What a store that may hold an older system's data can do about it. Both may be repeated, and by several processes."""

    def take_over(self, now: datetime) -> None:
        """Put right, quickly, what must be right before anything else: owed mails, canaries that nobody watches."""

    def move_histories(self, stop: threading.Event) -> None:
        """Do the long part, until it is done or `stop` is set."""


class Takeover:
    """A thread that does both once at each start."""

    name = "takeover"

    def __init__(self, store: Predecessor, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def tell_to_stop(self) -> None:
        """After the canary under way. May be called twice, and before the start."""
        self._stop.set()

    def join(self, patience: float) -> bool:
        """Wait for its end for at most so many seconds; True when it has ended. What it leaves undone is done at the next start."""
        if self._thread.ident is not None:
            self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._store.take_over(self._clock.now())
                self._store.move_histories(self._stop)
            except StoreUnavailable as error:
                _log.warning("the takeover of older data waits: %s", error, extra={"action": "takeover_waits"})
                self._stop.wait(_RETRY_SECONDS)
            except Exception:  # noqa: BLE001 - the thread's top
                _log.exception("older data could not be taken over", extra={"action": "takeover_failed"})
                return
            else:
                return
