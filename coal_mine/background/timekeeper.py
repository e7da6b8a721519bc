"""Keeps this process's clock at the store's time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from coal_mine.clock import SharedClock, monotonic

_log = logging.getLogger(__name__)

MEASURED_EVERY = timedelta(seconds=5)
# The store's time is taken for ours, so this is harmless to deadlines; but somebody should set the clock right.
WORTH_A_WARNING = timedelta(seconds=1)
_SAMPLES = 3


class Timekeeper:
    def __init__(self, clock: SharedClock, store_time: Callable[[], datetime]) -> None:
        self._clock = clock
        self._store_time = store_time
        self._warned = False

    def run_once(self, now: datetime) -> datetime | None:
        """Measure; of a few samples the one with the shortest way to the store and back counts."""
        samples = [self._sample() for _ in range(_SAMPLES)]
        self._clock.align(*min(samples, key=lambda sample: sample[2] - sample[1]))
        self._warn()
        return now + MEASURED_EVERY

    def _sample(self) -> tuple[datetime, float, float]:
        asked = monotonic()
        return self._store_time(), asked, monotonic()

    def _warn(self) -> None:
        skew = self._clock.skew
        is_off = skew is not None and abs(skew) > WORTH_A_WARNING
        if is_off and skew and not self._warned:
            _log.warning(
                "this machine's clock is %.1f s %s the store's, which is taken instead; set it right",
                abs(skew.total_seconds()), "ahead of" if skew > timedelta() else "behind",
                extra={"action": "clock_skew"},
            )  # fmt: skip
        self._warned = is_off
