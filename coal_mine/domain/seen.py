"""What lives as long as others see its heartbeats, and what operators were told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    seen_at: datetime  # of its latest heartbeat
    # Both only ever grow, so that no order in which processes write them can undo anything.
    stopped_after: datetime | None = None  # `seen_at` when the latest stop was noticed that operators were told of
    resumed_after: datetime | None = None  # the `stopped_after` of the latest stop whose end they were told of

    @property
    def stop_is_told(self) -> bool:
        """Of the stop, if any, that began after the latest heartbeat."""
        return self.stopped_after is not None and self.stopped_after >= self.seen_at

    @property
    def untold_return(self) -> datetime | None:
        """The `stopped_after` of a stop that operators heard of, and whose end they have not heard of."""
        if self.stopped_after and self.resumed_after and self.resumed_after >= self.stopped_after:
            return None
        return self.stopped_after
