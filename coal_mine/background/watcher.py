"""Marks canaries late the moment their deadline passes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from coal_mine.domain.ports import CanaryStore

_log = logging.getLogger(__name__)


class DeadlineWatcher:
    def __init__(self, canaries: CanaryStore, alert_owed: Callable[[], None]) -> None:
        self._canaries = canaries
        self._alert_owed = alert_owed

    def run_once(self, now: datetime) -> datetime | None:
        """Mark late all that is due at `now`; the next deadline."""
        next_deadline = self._canaries.next_deadline()
        if next_deadline is None or next_deadline > now:
            return next_deadline
        late = self._canaries.mark_late(now)
        if late:
            _log.info("%d canaries are late", late, extra={"action": "marked_late"})
            self._alert_owed()
        return self._canaries.next_deadline()
