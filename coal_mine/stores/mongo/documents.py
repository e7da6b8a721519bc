"""Between documents and the domain's records.

`canaries` has the predecessor's fields with their names and meaning, so that its databases open in place. New are `last_event_at`,
`version` (absent: 0), `owed` (absent: nothing), `alerted_at` (see `order_after`), `cause` (absent: none) and, in the place of
`periodicity`, the fields `schedule`, `grace` and `timezone` of an OnSchedule, or `job`, `schedules` (JSON), `grace` and
`job_version` of an OfJob. A
`history` inside a canary is the predecessor's and is moved out by takeover.py.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from coal_mine.domain.alert import EMAIL, Alert, Kind
from coal_mine.domain.canary import Canary, Transition
from coal_mine.domain.periodicity import Every, InWindows, OfJob, OnSchedule, Periodicity
from coal_mine.domain.schedule import stored_schedules
from coal_mine.domain.seconds import whole
from coal_mine.domain.times import EPOCH

Document = dict[str, Any]

# All of a canary but its embedded history, of which the newest entry is enough.
PROJECTION: Mapping[str, Any] = {"history": {"$slice": 1}}
DUPLICATE_KEY = 11_000
_SCHEDULE_FIELDS = ("schedule", "grace", "timezone")
_PERIODICITY_FIELDS = ("periodicity", *_SCHEDULE_FIELDS, "job", "schedules", "job_version")
DEFINITION: Mapping[str, Any] = dict.fromkeys(("id", "version", *_PERIODICITY_FIELDS), 1)


def canary_of(document: Document) -> Canary:
    return Canary(
        id=document["id"],
        name=document["name"],
        slug=document["slug"],
        description=document.get("description") or "",
        periodicity=periodicity_of(document),
        emails=tuple(document.get("emails") or ()),
        paused=bool(document["paused"]),
        late=bool(document["late"]),
        deadline=document.get("deadline"),
        last_event_at=document.get("last_event_at") or _newest_embedded(document),
        version=document.get("version") or 0,
        cause=Kind(document["cause"]) if document.get("cause") else None,
        owed=tuple(alert_of(owed) for owed in document.get("owed") or () if not owed.get("leaving")),
    )


def _newest_embedded(document: Document) -> datetime:
    """When the predecessor last heard of the canary; without any history, when it was created."""
    history = document.get("history")
    if history:
        newest: datetime = max(at for at, _ in history)
        return newest
    object_id = document.get("_id")
    return object_id.generation_time if isinstance(object_id, ObjectId) else EPOCH


def periodicity_of(document: Document) -> Periodicity:
    """What is stored, without today's stricter rules for new ones: the predecessor accepted more, and what it watched must be shown."""
    if "job" in document:
        return _of_job(document["job"], document["schedules"], document["grace"], document.get("job_version", 0))
    if "schedule" in document:
        return OnSchedule(document["schedule"], document["grace"], document["timezone"])
    value = document.get("periodicity")
    if isinstance(value, int | float) and not math.isnan(value):
        return Every(whole(value))  # the predecessor kept all numbers as doubles
    return InWindows(str(value))


@lru_cache(maxsize=4_096)
def _of_job(job_id: str, schedules: str, grace: float, version: int) -> OfJob:
    return OfJob(job_id, stored_schedules(json.loads(schedules)), grace, version)


def _periodicity_fields(periodicity: Periodicity) -> Document:
    """The values of all fields that say how long; None where there must be no such field."""
    fields: Document = dict.fromkeys(_PERIODICITY_FIELDS)
    match periodicity:
        case Every(seconds):
            fields["periodicity"] = seconds
        case InWindows(text):
            fields["periodicity"] = text
        case OnSchedule(expression, grace_seconds, timezone):
            fields.update(schedule=expression, grace=grace_seconds, timezone=timezone)
        case OfJob(job_id, schedules, grace_seconds, version):
            fields.update(job=job_id, schedules=json.dumps([schedule.as_json() for schedule in schedules]), grace=grace_seconds)
            fields["job_version"] = version
    return fields


def document_of(canary: Canary) -> Document:
    fields = {
        "id": canary.id,
        "name": canary.name,
        "slug": canary.slug,
        **_periodicity_fields(canary.periodicity),
        "description": canary.description,
        "emails": list(canary.emails),
        "paused": canary.paused,
        "late": canary.late,
        "cause": str(canary.cause) if canary.cause else None,
        "deadline": canary.deadline,
        "last_event_at": canary.last_event_at,
        "version": canary.version,
        "owed": [owed_document(alert, alert.at) for alert in canary.owed] or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def alert_of(document: Document) -> Alert:
    return Alert(
        kind=Kind(document["kind"]),
        about=document["about"],
        name=document["name"],
        at=document["at"],
        deadline=document.get("deadline"),
        emails=tuple(document["emails"]),
        channel=document.get("channel", EMAIL),
        detail=document.get("detail", ""),
        event=document.get("event", ""),
    )


def alert_document(alert: Alert) -> Document:
    return {
        "id": alert.id,
        "kind": str(alert.kind),
        "about": alert.about,
        "name": alert.name,
        "at": alert.at,
        "deadline": alert.deadline,
        "emails": list(alert.emails),
        **({"channel": alert.channel} if alert.channel != EMAIL else {}),
        **({"detail": alert.detail} if alert.detail else {}),
        **({"event": alert.event} if alert.event else {}),
    }


def owed_document(alert: Alert, order: datetime) -> Document:
    """An alert inside its canary; `leaving` is added when it is on its way to the outbox."""
    return {**alert_document(alert), "order": order}


def order_after(alerted_at: datetime | None, at: datetime) -> datetime:
    """The place of a new alert among all alerts, and the canary's new `alerted_at`.

    It is the alert's time, but never before an earlier alert of the same canary: a trigger that arrives a moment after the deadline and a
    moment before the canary is marked late is older than the LATE to which it owes the RESUMED, and must reach people after it.
    """
    return at if alerted_at is None else max(at, alerted_at + timedelta(milliseconds=1))


def owing(kind: Any, now: datetime) -> Document:
    """For a pipeline's $set: append an alert of this kind (a word or an expression) to what each canary owes.

    Its time, and so its id, is `now` or just after the alert before it. One command can meet a canary twice, when a trigger that was held
    up (so that even its new deadline has passed) comes in between; these are two alerts and must not have one id.
    """
    at = {"$max": [now, {"$add": ["$alerted_at", 1]}]}
    alert = {
        "id": {"$concat": ["$id", "|", kind, "|", {"$toString": {"$toLong": at}}]},
        "kind": kind,
        "about": "$id",
        "name": "$name",
        "at": at,
        "deadline": {"$ifNull": ["$deadline", None]},
        "emails": {"$ifNull": ["$emails", []]},
        "order": at,
    }
    return {"owed": {"$concatArrays": [{"$ifNull": ["$owed", []]}, [alert]]}, "alerted_at": at}


def condition_of(transition: Transition) -> Document:
    """A filter that finds the canary only while it is as the transition depends on."""
    condition: Document = {"id": transition.before.id}
    for field in transition.depends_on:
        condition.update(field_condition(field, getattr(transition.before, field)))
    if transition.withdraw:
        condition["owed"] = {"$elemMatch": {"id": transition.withdraw.id, "leaving": {"$exists": False}}}
    return condition


def field_condition(field: str, value: Any) -> Document:
    match field:
        case "version":
            return {"version": value if value else {"$in": [0, None]}}
        case "last_event_at":
            return {"last_event_at": {"$in": [value, None]}}  # missing: it was derived from the embedded history
        case "periodicity":
            return _periodicity_fields(value)  # None matches a missing field
        case "emails":
            return {"emails": list(value)}
    return {field: str(value) if field == "cause" and value else value}


def update_of(transition: Transition, alerted_at: datetime | None) -> Document:
    """The update document; empty when there is nothing to write."""
    values: Document = {}
    for field in transition.changed:
        value = getattr(transition.after, field)
        if field == "periodicity":
            values.update(_periodicity_fields(value))
        elif field == "cause":
            values[field] = str(value) if value else None
        else:
            values[field] = list(value) if field == "emails" else value
    update: Document = {}
    if transition.owe:
        owed = []
        for alert in transition.owe:
            alerted_at = order_after(alerted_at, alert.at)
            owed.append(owed_document(alert, alerted_at))
        values["alerted_at"] = alerted_at
        update["$push"] = {"owed": {"$each": owed}}
    elif transition.withdraw:
        update["$pull"] = {"owed": {"id": transition.withdraw.id}}
    update["$set"] = {name: value for name, value in values.items() if value is not None}
    update["$unset"] = {name: "" for name, value in values.items() if value is None}
    return {operator: fields for operator, fields in update.items() if fields}


def insert_missing(collection: Collection[Document], documents: list[Document]) -> None:
    """Insert all that are not there yet, by their `_id`; those that are stay as they are. So it can be repeated."""
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        faults = error.details.get("writeErrors", [])
        if error.details.get("writeConcernErrors") or any(fault["code"] != DUPLICATE_KEY for fault in faults):
            raise
