"""Marks canaries late the moment their deadline passes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from coal_mine.clock import monotonic
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.ports import CanaryStore

_log = logging.getLogger(__name__)

# A store that takes so long to say when the next deadline is has been away.
OUTAGE_SECONDS = 0.5


class DeadlineWatcher:
    """A trigger that arrived in time is in time. Where triggers are taken in by other processes, those that arrived while the store was
    away are committed when it is back, in a moment or two; until then nobody can know which canaries are late.
    """

    def __init__(self, canaries: CanaryStore, alert_owed: Callable[[], None], *, rest_after_outage: timedelta) -> None:
        """`rest_after_outage` is how long nothing is marked after the store has come back; zero where this process takes all triggers."""
        self._canaries = canaries
        self._alert_owed = alert_owed
        self._rest = rest_after_outage
        self._was_away = False
        self._rests_until = 0.0  # by `monotonic`: after a fail-over the store may tell another time

    def store_was_away(self) -> None:
        """For whoever else finds out, in another thread."""
        self._was_away = True

    def run_once(self, now: datetime) -> datetime | None:
        """Mark late all that is due at `now`; the next deadline."""
        next_deadline = self._look()
        if self._was_away:
            self._was_away = False
            self._rests_until = monotonic() + self._rest.total_seconds()
        if next_deadline is None or next_deadline > now:
            return next_deadline
        if (rest := self._rests_until - monotonic()) > 0:
            return now + timedelta(seconds=rest)
        late = self._canaries.mark_late(now)
        if not late:
            return None  # another watcher was faster; or a store cannot mark what is due, and asking at once again would not help
        _log.info("%d canaries are late", late, extra={"action": "marked_late"})
        self._alert_owed()
        return self._canaries.next_deadline()

    def _look(self) -> datetime | None:
        """The next deadline; how long the store takes to tell it, tells whether it was away."""
        begin = monotonic()
        try:
            return self._canaries.next_deadline()
        except StoreUnavailable:
            self._was_away = True
            raise
        finally:
            if monotonic() - begin > OUTAGE_SECONDS:
                self._was_away = True
