"""A single tick."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from coal_mine.domain.times import cut

from .reading import Value, moment_in, text_of, time_of, zone_of

KEYS = ("at", "timezone")


@dataclass(frozen=True, slots=True)
class Once:
    at: str  # as it was given: a local time stays one, even if its zone is given other rules
    timezone: str
    _tick: datetime = field(repr=False, compare=False)

    @classmethod
    def parse(cls, value: Value, *, field: str, timezone: str) -> Once:
        """Raises Invalid, but not for a time in the past: a stored schedule must remain readable."""
        zone = zone_of(value, field, timezone)
        return cls(text_of(value, "at", field), zone.key, cut(moment_in(time_of(value, "at", field), zone)))

    def tick_after(self, at: datetime) -> datetime | None:
        return self._tick if self._tick > at else None

    def as_json(self) -> dict[str, Any]:
        return {"at": self.at, "timezone": self.timezone}
