"""A canary to change, and the present in which the domain's tests live."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from coal_mine.domain.alert import Alert, Kind
from coal_mine.domain.canary import Canary, Entry
from coal_mine.domain.periodicity import Every

NOW = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)

BACKUP = Canary(
    id="fbkvlsby",
    name="Nightly Backup",
    slug="nightly-backup",
    description="of the shop",
    periodicity=Every(3_600),
    emails=("jo@example.com", "al@example.com"),
    paused=False,
    late=False,
    deadline=NOW + HOUR / 2,
    last_event_at=NOW - HOUR / 2,
)
LATE_BACKUP = replace(BACKUP, late=True, deadline=NOW - HOUR, last_event_at=NOW - 2 * HOUR)
PAUSED_BACKUP = replace(BACKUP, paused=True, deadline=None)


def trigger(at: datetime = NOW) -> Entry:
    return Entry(at, "Triggered", "n1")


def alert(**values: Any) -> Alert:
    """A LATE alert of the backup, but for the values given."""
    facts: dict[str, Any] = {
        "kind": Kind.LATE,
        "about": BACKUP.id,
        "name": BACKUP.name,
        "at": NOW,
        "deadline": NOW - SECOND,
        "emails": BACKUP.emails,
    }
    return Alert(**facts | values)
