"""A stored schedule that can no longer be read: a newer version wrote it, or its time zone was dropped."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Keeps what is stored, and has no ticks. One such schedule must not keep other jobs from being planned."""

    text: str
    fault: str
    timezone: str = "UTC"

    def tick_after(self, at: datetime) -> datetime | None:
        return None

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found
