"""Jobs in Minion's words and in ours.

What a client wrote is kept in the job's definition, and shown again, field by field, as long as the definition still says that. Where the
native API has changed a field since, the definition is shown in Minion's words; a schedule or runner for which Minion has none is shown
as absent, and left alone by a client that sends the job back as it was shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import Definition, Job, Runner
from coal_mine.domain.schedule import parse_schedule
from coal_mine.domain.schedules.crontab import Crontab
from coal_mine.domain.schedules.interval import Interval
from coal_mine.domain.text import MAX_DESCRIPTION, MAX_NAME, checked_description, checked_name, printable
from coal_mine.domain.times import EPOCH
from coal_mine.services.account_runners import AccountRunners
from coal_mine.web.dialects.go_cron import schedule_json

from .written import Written, kept

DIALECT = "minion"
# What jobs are used to there: they run side by side, a failed one is tried twice more, and what was missed is gone.
_DEFAULTS: Mapping[str, Any] = {
    "overlap": "allow",
    "retries": {"max": 2, "wait": 5, "factor": 1, "longest": 5},
    "catch_up": "none",
}
_RUNNER_FIELDS = ("runner", "runner_name", "details", "command", "script")
_REFUSAL = 'printf "%s\\n" "$0" >&2; exit 1'

Json = dict[str, Any]


class Translation:
    def __init__(self, runners: AccountRunners) -> None:
        self._runners = runners

    def has_account(self, account: str) -> bool:
        return self._runners.has_account(account)

    def check_runner(self, account: str, job: Job) -> None:
        """Raises Invalid when the runner that the job names is not the account's to use."""
        self._kind(account, (shown(job)["details"] or {}).get("runner", ""))

    def new_job(self, account: str, group: str, own_id: str, job: Written, now: datetime) -> Json:
        """The body of the native call that creates it. Raises Invalid."""
        place = {"id": own_id, "namespace": f"{account}/{group}"}
        return {**place, **_DEFAULTS, "schedules": _checked_schedules(job), **self._fields(account, own_id, job, now)}

    def changes(self, old: Job, job: Written, now: datetime) -> Json:
        """The fields of a job that a client writes anew. What Minion has no word for stays as it is. Raises Invalid."""
        before, known = shown(old), _kept(old.definition)
        fields = self._fields(old.namespace[0], own_id(old), job, now)
        if job.details == before["details"] and not _runs_as_written(old, known):
            fields = {name: value for name, value in fields.items() if name not in _RUNNER_FIELDS}
        # An interval goes on from where it began.
        schedules = {} if job.text("schedule_expression") == before["schedule_expression"] else {"schedules": _checked_schedules(job)}
        return {**fields, **schedules}

    def repair(self, old: Job) -> Json:
        """What must change for the job to run as the configuration says now; empty when it does, and when the native API says how."""
        known = _kept(old.definition)
        if not _runs_as_written(old, known):
            return {}
        wanted = self._runner_fields(old.namespace[0], known)
        has = {"runner": old.definition.runner, "runner_name": old.definition.runner_name}
        return {} if all(wanted[name] == value for name, value in has.items()) else wanted

    def _kind(self, account: str, runner: str) -> Runner:
        if not runner:
            raise Invalid("runner not found in job: details.runner is missing")
        return self._runners.kind(account, runner)

    def _fields(self, account: str, own_id: str, job: Written, now: datetime) -> Json:
        return {
            "name": _name(job, own_id),
            "description": _description(job),
            "enabled": job.enabled,
            **self._runner_fields(account, job),
            "given": {DIALECT: job.as_kept(_time(now))},
        }

    def _runner_fields(self, account: str, job: Written) -> Json:
        """A job whose runner is not the account's to use is kept like any other, and each of its runs fails and says why."""
        fields: Json = {"runner": "command", "runner_name": "", "details": _details(job), "command": _refusal(account, job), "script": ""}
        try:
            kind = self._kind(account, job.runner)
        except Invalid:
            return fields
        return fields | {"runner": kind.value, "runner_name": job.runner, "command": ""}


def shown(job: Job) -> Json:
    """Minion's ten keys."""
    definition, known = job.definition, _kept(job.definition)
    account, group = job.namespace
    return {
        "account": account,
        "description": known.text("description") if definition.description == _description(known) else definition.description,
        "details": known.details if _runs_as_written(job, known) else _details_of(definition),
        "enabled": definition.enabled,
        "group": group,
        "id": own_id(job),
        "modified_at": _time(job.changed_at),
        "modified_by": known.text("modified_by"),
        "name": known.text("name") if known.members and definition.name == _name(known, own_id(job)) else definition.name,
        "schedule_expression": _expression(definition, known),
    }


def wrapped(job: Job, next_at: datetime | None) -> Json | None:
    """What stands beside the job in Minion's later form; None when the job was written in the form of the seed."""
    known = _kept(job.definition)
    if not known.wraps:
        return None
    return {"job": shown(job), "tags": known.tags or [], "log": None, "next": _time(next_at) if next_at else None}


def own_id(job: Job) -> str:
    return job.id.rpartition(":")[2]


def _kept(definition: Definition) -> Written:
    text = dict(definition.given).get(DIALECT)
    return kept(json.loads(text)) if text else Written({})


def _name(job: Written, own_id: str) -> str:
    """A definition's name has a letter or digit, and is not long."""
    for name in (job.text("name"), printable(job.text("name"))[:MAX_NAME]):
        try:
            return checked_name(name)
        except Invalid:
            continue
    return own_id


def _description(job: Written) -> str:
    try:
        return checked_description(job.text("description"))
    except Invalid:
        return printable(job.text("description"))[:MAX_DESCRIPTION]


def _details(job: Written) -> dict[str, str]:
    return {name: value for name, value in (job.details or {}).items() if name != "runner"}


def _details_of(definition: Definition) -> dict[str, str] | None:
    runner = {"runner": definition.runner_name} if definition.runner_name else {}
    return {**dict(definition.details), **runner} or None


def _refusal(account: str, job: Written) -> list[str]:
    fault = f"account {account} may not use the runner {job.runner[:100]!a}" if job.runner else "the job's details name no runner"
    return ["/bin/sh", "-c", _REFUSAL, fault]


def _runs_as_written(job: Job, known: Written) -> bool:
    """Whatever the configuration said then or says now."""
    definition = job.definition
    refused = (Runner.COMMAND, "", tuple(_refusal(job.namespace[0], known)))
    runs = (definition.runner, definition.runner_name, definition.command)
    by_name = definition.runner_name != "" and definition.runner_name == known.runner
    return bool(known.members) and (runs == refused or by_name) and dict(definition.details) == _details(known)


def _checked_schedules(job: Written) -> list[Json]:
    """What is refused for its ticks, and not for its words, is told of in Minion's words, too. Raises Invalid."""
    schedules = _schedules(job)
    for schedule in schedules:
        try:
            parse_schedule(schedule, field="schedule_expression", seed="", now=EPOCH)
        except Invalid as error:
            fault = str(error).rpartition(": ")[2]
            raise Invalid(f"schedule_expression {job.text('schedule_expression')[:60]!r} {fault}") from error
    return schedules


def _schedules(job: Written) -> list[Json]:
    text = job.text("schedule_expression")
    try:
        return [schedule_json(text)] if text else []
    except Invalid as error:
        raise Invalid(f"schedule_expression {error}") from error


def _expression(definition: Definition, known: Written) -> str:
    found = [_without_beginning(schedule.as_json()) for schedule in definition.schedules]
    try:
        if known.members and found == _schedules(known):
            return known.text("schedule_expression")
    except Invalid:  # the native API may have kept anything
        pass
    return _expression_of(definition)


def _without_beginning(schedule: Json) -> Json:
    """An interval's first tick depends on when it was given."""
    return {name: value for name, value in schedule.items() if name != "from"}


def _expression_of(definition: Definition) -> str:
    """Empty where Minion's words do not reach."""
    if len(definition.schedules) != 1:
        return ""
    schedule = definition.schedules[0]
    text = ""
    if isinstance(schedule, Crontab) and schedule.timezone == "UTC":
        text = schedule.expression
    elif isinstance(schedule, Interval) and schedule.millis % 1_000 == 0:
        text = f"@every {schedule.millis // 1_000}s"
    try:
        return text if text and schedule_json(text) else ""
    except Invalid:
        return ""


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
