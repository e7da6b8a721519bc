"""Values of the domain as rows, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from coal_mine.domain.alert import EMAIL, Alert, Delivery, DeliveryState, Kind, Receiver
from coal_mine.domain.canary import Canary
from coal_mine.domain.periodicity import Every, InWindows, OfJob, OnSchedule, Periodicity
from coal_mine.domain.schedule import stored_schedules
from coal_mine.domain.times import from_millis, to_millis

CANARY_COLUMNS = "id, name, slug, description, periodicity, emails, paused, late, deadline, last_event_at, version, owed, cause"
DELIVERY_COLUMNS = "d.alert, d.state, d.finished_at, d.error, r.channel, r.address, r.error"


def canary_from_row(row: Sequence[Any]) -> Canary:
    return Canary(
        id=row[0],
        name=row[1],
        slug=row[2],
        description=row[3],
        periodicity=periodicity_from_json(row[4]),
        emails=_emails(row[5]),
        paused=bool(row[6]),
        late=bool(row[7]),
        deadline=None if row[8] is None else from_millis(row[8]),
        last_event_at=from_millis(row[9]),
        version=row[10],
        cause=None if row[12] is None else Kind(row[12]),
        owed=() if row[11] == "[]" else tuple(alert_from_json(alert) for alert in json.loads(row[11])),
    )


# How each changeable field of a canary is written; the keys are the columns.
WRITTEN: dict[str, Callable[[Any], Any]] = {
    "name": str,
    "slug": str,
    "description": str,
    "periodicity": lambda value: json.dumps(_periodicity_as_json(value)),
    "emails": lambda value: json.dumps(list(value)),
    "paused": int,
    "late": int,
    "cause": lambda value: None if value is None else str(value),
    "deadline": lambda value: None if value is None else to_millis(value),
    "last_event_at": to_millis,
    "version": int,
}


def delivery_from_row(row: Sequence[Any]) -> Delivery:
    alert, state, finished_at, error, channel, address, receiver_error = row
    return Delivery(
        alert=alert_from_json(json.loads(alert)),
        receiver=Receiver(channel, address),
        state=DeliveryState(state),
        finished_at=None if finished_at is None else from_millis(finished_at),
        error=error or (receiver_error if state == DeliveryState.WAITING else ""),
    )


def alert_as_json(alert: Alert) -> dict[str, Any]:
    return {
        "kind": alert.kind,
        "about": alert.about,
        "name": alert.name,
        "at": to_millis(alert.at),
        "deadline": None if alert.deadline is None else to_millis(alert.deadline),
        "emails": list(alert.emails),
        **({"channel": alert.channel} if alert.channel != EMAIL else {}),
        **({"detail": alert.detail} if alert.detail else {}),
        **({"event": alert.event} if alert.event else {}),
    }


def alert_from_json(value: dict[str, Any]) -> Alert:
    return Alert(
        kind=Kind(value["kind"]),
        about=value["about"],
        name=value["name"],
        at=from_millis(value["at"]),
        deadline=None if value["deadline"] is None else from_millis(value["deadline"]),
        emails=tuple(value["emails"]),
        channel=value.get("channel", EMAIL),
        detail=value.get("detail", ""),
        event=value.get("event", ""),
    )


def _periodicity_as_json(periodicity: Periodicity) -> Any:
    match periodicity:
        case Every(seconds):
            return seconds
        case InWindows(text):
            return text
        case OnSchedule(expression, grace_seconds, timezone):
            return {"schedule": expression, "grace": grace_seconds, "timezone": timezone}
        case OfJob(job_id, schedules, grace_seconds, version):
            listed = [schedule.as_json() for schedule in schedules]
            return {"job": job_id, "schedules": listed, "grace": grace_seconds, "job_version": version}


# Many canaries share a few texts, and each trigger reads them again.
@lru_cache(maxsize=4_096)
def periodicity_from_json(text: str) -> Periodicity:
    value = json.loads(text)
    if isinstance(value, dict) and "job" in value:
        return OfJob(value["job"], stored_schedules(value["schedules"]), value["grace"], value.get("job_version", 0))
    if isinstance(value, dict):
        return OnSchedule(value["schedule"], value["grace"], value["timezone"])
    return InWindows(value) if isinstance(value, str) else Every(value)


@lru_cache(maxsize=4_096)
def _emails(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))
