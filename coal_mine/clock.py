"""The only place that asks what time it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from .domain.times import cut


class SystemClock:
    """This machine's clock."""

    def now(self) -> datetime:
        return cut(datetime.now(UTC))


def monotonic() -> float:
    """Seconds that only ever grow, for measuring and waiting."""
    return time.monotonic()
