"""Schedules as a user writes them, and their ticks as a user reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from coal_mine.domain.schedule import Schedule, parse_schedule
from tests.domain.samples import NOW

PARIS = "Europe/Paris"
NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"
# Zones, and for each the UTC days on which its clocks are changed.
CHANGES = {
    PARIS: ("2026-10-25", "2027-03-28"),
    NEW_YORK: ("2026-11-01", "2027-03-14"),
    LORD_HOWE: ("2026-10-03", "2027-04-03"),
}
CHANGE_DAYS = [(zone, datetime.fromisoformat(day).replace(tzinfo=UTC)) for zone, days in CHANGES.items() for day in days]
MINUTE = timedelta(minutes=1)


def parsed(value: object, *, seed: str = "fbkvlsby", now: datetime = NOW) -> Schedule:
    return parse_schedule(value, field="schedules[2]", seed=seed, now=now)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ticks(value: dict[str, Any], after: str, count: int) -> list[str]:
    """The ticks after an instant in UTC, in the schedule's local time."""
    schedule, at, found = parsed(value), instant(after), []
    for _ in range(count):
        tick = schedule.tick_after(at)
        if tick is None:
            break
        at = tick
        found.append(at.astimezone(ZoneInfo(value.get("timezone", "UTC"))).strftime("%d %H:%M:%S %z").replace(":00 ", " "))
    return found
