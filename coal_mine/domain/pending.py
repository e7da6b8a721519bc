"""A trigger on its way into the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .canary import Entry, Triggered


class PendingTrigger:
    """Handed to CanaryStore.submit, and handed back with an outcome or an error once that is known.

    `tell` is called with all that became known at the same moment, from a thread of the store; to wake somebody for each of them would cost
    more than all the rest. It must return at once.
    """

    __slots__ = ("canary_id", "entry", "error", "expires", "outcome", "tell")

    def __init__(self, canary_id: str, entry: Entry, tell: Tell, expires: float) -> None:
        self.canary_id = canary_id
        self.entry = entry
        self.tell = tell
        self.expires = expires  # by the monotonic clock, seconds; nobody waits for it any longer
        self.outcome: Triggered | None = None
        self.error: Exception | None = None

    @property
    def is_open(self) -> bool:
        return self.outcome is None and self.error is None

    def fail(self, error: Exception) -> None:
        self.outcome, self.error = None, error


Tell = Callable[[list[PendingTrigger]], None]


def tell_all(known: Iterable[PendingTrigger]) -> None:
    """Hand back what is known, together where the same `tell` waits for it."""
    together: dict[Tell, list[PendingTrigger]] = {}
    for pending in known:
        together.setdefault(pending.tell, []).append(pending)
    for tell, some in together.items():
        tell(some)
