"""The API for canaries: /coal-mine/v1/canary/*, but for the triggers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NotRequired, TypedDict

import bottle

from coal_mine.domain.canary import Canary, Entry
from coal_mine.domain.periodicity import Every, InWindows, OfJob, OnSchedule
from coal_mine.domain.ports import CanaryFilter
from coal_mine.domain.times import END_OF_TIME, isoformat
from coal_mine.domain.windows import Span
from coal_mine.services.canaries import Canaries, Reference, Shown
from coal_mine.services.definitions import Definition

from .auth import Gate
from .parameters import REFERENCE, Parameters

_DEFINITION = ("name", "periodicity", "schedule", "grace", "timezone", "description", "email")


class CanaryJson(TypedDict):
    id: str
    name: str
    slug: str
    periodicity: NotRequired[int | float | str]  # or the next three
    schedule: NotRequired[str]
    grace: NotRequired[int | float]
    timezone: NotRequired[str]
    job: NotRequired[str]  # or this, schedules and grace
    schedules: NotRequired[list[dict[str, Any]]]
    description: str
    emails: list[str]
    paused: bool
    history: list[list[str]]
    late: bool
    cause: NotRequired[str]  # FAILED, MISSED or LOST, when it is late for that and not by its deadline
    deadline: NotRequired[str]  # absent while paused, and when no trigger will ever be due
    periodicity_schedule: NotRequired[list[list[Any]]]


class CanaryRoutes:
    def __init__(self, canaries: Canaries, gate: Gate) -> None:
        self._canaries = canaries
        self._gate = gate

    def mount(self, app: bottle.Bottle) -> None:
        for command in ("create", "delete", "update", "get", "list", "pause", "unpause"):
            app.route(f"/coal-mine/v1/canary/{command}", ["GET", "POST"], getattr(self, command))

    def create(self) -> Any:
        given = self._parameters(*_DEFINITION, "paused", repeatable="email")
        return _one(self._canaries.create(_definition(given, given.text("name")), paused=bool(given.flag("paused"))))

    def delete(self) -> Any:
        self._canaries.delete(self._parameters(*REFERENCE).reference())
        return {"status": "ok"}

    def update(self) -> Any:
        given = self._parameters("id", "slug", *_DEFINITION, repeatable="email")
        reference = Reference(id=given.text("id"), slug=given.text("slug"))
        return _one(self._canaries.update(reference, _definition(given, given.text("name"))))

    def get(self) -> Any:
        return _one(self._canaries.get(self._parameters(*REFERENCE).reference()))

    def list(self) -> Any:
        given = self._parameters("verbose", "paused", "late", "search")
        canaries = self._canaries.list(CanaryFilter(paused=given.flag("paused"), late=given.flag("late")), given.text("search"))
        if given.flag("verbose"):
            shown: list[Any] = [canary_json(one) for one in self._canaries.with_history(canaries)]
        else:
            shown = [{"id": canary.id, "name": canary.name} for canary in canaries]
        return {"status": "ok", "canaries": shown}

    def pause(self) -> Any:
        given = self._parameters(*REFERENCE, "comment")
        return _one(self._canaries.pause(given.reference(), given.text("comment") or ""))

    def unpause(self) -> Any:
        given = self._parameters(*REFERENCE, "comment")
        return _one(self._canaries.unpause(given.reference(), given.text("comment") or ""))

    def _parameters(self, *known: str, repeatable: str = "") -> Parameters:
        return Parameters(self._gate.admit(bottle.request.environ), *known, repeatable=repeatable)


def _definition(given: Parameters, name: str | None) -> Definition:
    return Definition(
        name=name,
        description=given.text("description"),
        emails=given.texts("email"),
        periodicity=given.text("periodicity"),
        schedule=given.text("schedule"),
        grace=given.text("grace"),
        timezone=given.text("timezone"),
    )


def _one(shown: Shown) -> dict[str, Any]:
    return {"status": "ok", "canary": canary_json(shown)}


def canary_json(shown: Shown) -> CanaryJson:
    canary = shown.canary
    answer: dict[str, Any] = {"id": canary.id, "name": canary.name, "slug": canary.slug}
    answer |= _periodicity_json(canary)
    answer |= {
        "description": canary.description,
        "emails": list(canary.emails),
        "paused": canary.paused,
        "history": [_entry_json(entry) for entry in shown.history],
        "late": canary.late,
    }
    if canary.cause:
        answer["cause"] = canary.cause.value
    if canary.deadline and canary.deadline < END_OF_TIME and not canary.paused:
        answer["deadline"] = isoformat(canary.deadline)
    if shown.windows is not None:
        answer["periodicity_schedule"] = [_span_json(span) for span in shown.windows]
    return answer  # type: ignore[return-value]  # built piece by piece; the tests compare it with the documented shape


def _periodicity_json(canary: Canary) -> dict[str, Any]:
    match canary.periodicity:
        case Every(seconds):
            return {"periodicity": seconds}
        case InWindows(text):
            return {"periodicity": text}
        case OnSchedule(expression, grace_seconds, timezone):
            return {"schedule": expression, "grace": grace_seconds, "timezone": timezone}
        case OfJob(job_id, schedules, grace_seconds):
            return {"job": job_id, "schedules": [schedule.as_json() for schedule in schedules], "grace": grace_seconds}


def _entry_json(entry: Entry) -> list[str]:
    return [isoformat(entry.at), entry.text]


def _span_json(span: Span) -> list[Any]:
    """Ends are told as the last minute that belongs to the span."""
    return [isoformat(span.start), isoformat(span.end - timedelta(minutes=1)), "Inactive" if span.seconds is None else span.seconds]
