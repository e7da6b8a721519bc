"""What Elasticsearch gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from coal_mine.domain.alert import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class SentDocument:
    """The same whenever it is made, as long as the store knows what it is about."""

    id: str
    at: datetime
    body: str  # JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Which documents were taken, now or before: all that are not named here, by their ids and with the reason."""

    refused: Mapping[str, str] = field(default_factory=dict)  # they never will be
    failed: Mapping[str, str] = field(default_factory=dict)  # trying again may help


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a delivery is about, as documents."""

    delivery: Delivery
    documents: tuple[SentDocument, ...]
    fault: str = ""  # why there are none

    @property
    def size(self) -> int:
        return sum(len(document.body) for document in self.documents)
