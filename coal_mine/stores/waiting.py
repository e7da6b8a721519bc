"""How threads wait for a store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from coal_mine.clock import monotonic
from coal_mine.domain.canary import Entry, Triggered
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.pending import PendingTrigger

# Around the time in which a thread waits for a write and does nothing else: others may do something meanwhile.
Waiting = Callable[[], AbstractContextManager[object]]


class _Awaited(PendingTrigger):
    """One that opens a lock when it is handed back: a bare lock is the cheapest way to wait."""

    __slots__ = ("_known",)

    def __init__(self, canary_id: str, entry: Entry, expires: float) -> None:
        super().__init__(canary_id, entry, _open_locks, expires)
        self._known = threading.Lock()
        self._known.acquire()

    def open(self) -> None:
        self._known.release()

    def wait(self, seconds: float) -> bool:
        return self._known.acquire(timeout=seconds)


def _open_locks(known: list[PendingTrigger]) -> None:
    for pending in known:
        if isinstance(pending, _Awaited):
            pending.open()


def trigger_and_wait(submit: Callable[[PendingTrigger], None], canary_id: str, entry: Entry, seconds: float) -> Triggered:
    """As ports.CanaryStore.trigger."""
    pending = _Awaited(canary_id, entry, monotonic() + seconds)
    submit(pending)
    if not pending.wait(seconds):
        raise StoreUnavailable(f"the trigger could not be committed within {seconds:g} seconds")
    if pending.outcome is None:
        raise pending.error or StoreUnavailable("the trigger was not committed")
    return pending.outcome
