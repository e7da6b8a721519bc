"""The shapes of jobs, runs and nodes as JSON Schema (2020-12), for openapi.json.

What users send is described as strictly as it is checked. null is as good as absent, but for what is required.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

from coal_mine.domain.definition import ACCOUNT, DIALECT, MAX_COMMAND, MAX_DETAILS, MAX_ENV, MAX_LIST, MAX_VALUE, NAME
from coal_mine.domain.job import CatchUpPolicy, FailureAlerts, MailReport, Mode, OnLost, OverlapPolicy, Runner
from coal_mine.domain.run import Origin, RunState
from coal_mine.domain.seconds import MAX_SECONDS, MIN_SECONDS
from coal_mine.domain.text import MAX_DESCRIPTION, MAX_EMAIL, MAX_EMAILS, MAX_NAME
from coal_mine.services.job_bodies import READ_ONLY
from coal_mine.services.run_requests import MAX_KEY

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
STRINGS: Schema = {"type": "object", "additionalProperties": TEXT}
SIGNALS = [prefix + one.name.removeprefix("SIG") for one in signal.Signals for prefix in ("", "SIG")]
_NAME_PATTERN = f"^{NAME.pattern}$"


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def listing(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def shape(**members: Schema) -> Schema:
    """An object that has exactly these."""
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def optional(schema: Schema) -> dict[str, Any]:
    """Or null."""
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    more = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [*types, "null"], **more}


def _given(**members: Schema) -> dict[str, Any]:
    """An object that may have these, and no others."""
    found = {name: optional(member) for name, member in members.items()}
    return {"type": "object", "properties": found, "additionalProperties": False}


def _text(most: int, **more: Any) -> Schema:
    return {"type": "string", "maxLength": most, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$", **more}


def _lines(most: int) -> Schema:
    """As a text, with line breaks and tabs. All other control characters are refused, but a pattern would take long for such lengths."""
    return {"type": "string", "maxLength": most}


def _number(low: float, high: float) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high}


def _whole(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def _choice(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def _either(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


NAMESPACE = _text(200, pattern=f"^({NAME.pattern}(/{NAME.pattern})?)?$")
_SECONDS = _number(MIN_SECONDS, MAX_SECONDS)
_ZONE = optional(TEXT)
_START = optional({"type": "string", "description": "From when it counts; local times are those of the zone."})
_LONG = _lines(MAX_VALUE)
_PARAMETER_PATTERN = "^(?!JOB_[A-Z_]+$)[A-Za-z_][A-Za-z0-9_]{0,127}$"


# Printable ASCII without what separates addresses, one at sign in the middle.
_ATOM = "[!#-'*+./0-9=?A-Z^-~-]+"
_ADDRESS = _text(MAX_EMAIL, pattern=f"^{_ATOM}@{_ATOM}$")


def _kind(key: str, value: Schema, **more: Schema) -> Schema:
    return {"type": "object", "properties": {key: value, **more}, "required": [key], "additionalProperties": False}


_SCHEDULE = _either(
    _kind("cron", {**TEXT, "description": "Five fields, six with the second first, @daily and the like, H."}, timezone=_ZONE, seed={}),
    _kind("every", {**_number(1, MAX_SECONDS), "description": "Seconds."}, **{"from": _START, "timezone": _ZONE}),
    _kind("at", {**TEXT, "description": "Once."}, timezone=_ZONE),
    _kind("fields", {"type": ["object", "null"], "description": "minute, hour, dayofmonth, month, dayofweek, week."}, timezone=_ZONE),
    _kind("rrule", {**TEXT, "description": "A recurrence rule (RFC 5545), daily or coarser."}, **{"from": _START, "timezone": _ZONE}),
)
_PARAMETER = {
    **_given(
        description=_lines(MAX_DESCRIPTION), default=_LONG, required=FLAG, values=listing(TEXT, maxItems=MAX_ENV),
    ),
    "required": ["name"],
}  # fmt: skip
_PARAMETER["properties"] = {"name": _text(128, pattern=_PARAMETER_PATTERN), **_PARAMETER["properties"]}
_RETRIES = _either(
    _whole(0, 1_000),
    _given(max=_whole(0, 1_000), wait=_number(0, 86_400), factor=_number(1, 100), longest=_number(0, 86_400)),
)
_OVERLAP = _either(
    _choice(*OverlapPolicy, "queue_one"),
    _given(policy=_choice(*OverlapPolicy), limit=_whole(1, 10_000), waiting=_whole(1, 10_000), across_nodes=FLAG),
)
_CATCH_UP = _either(
    _choice(*CatchUpPolicy),
    _given(policy=_choice(*CatchUpPolicy), within=_number(1, MAX_SECONDS), max=_whole(1, 10_000)),
)


def _variables(longest: int) -> Schema:
    return {
        "type": "object",
        "propertyNames": {"pattern": _PARAMETER_PATTERN},
        "additionalProperties": _lines(longest),
        "maxProperties": MAX_ENV,
    }


def _words(most: int, values: Schema) -> Schema:
    return {
        "type": "object",
        "propertyNames": {"pattern": "^[^\\u0000-\\u001f\\u007f]{1,200}$"},
        "additionalProperties": values,
        "maxProperties": most,
    }


_DEFINITION = _given(
    description=_lines(MAX_DESCRIPTION),
    tags=listing(_text(200), maxItems=MAX_LIST),
    labels=_words(MAX_LIST, _text(1_000)),
    enabled=FLAG,
    schedules=listing(reference("Schedule"), maxItems=MAX_LIST),
    pools=listing(_text(64, pattern=_NAME_PATTERN), minItems=1, maxItems=MAX_LIST),
    mode=_choice(*Mode),
    runner=_choice(*Runner),
    runner_name=_text(64, pattern=f"^({NAME.pattern})?$"),
    details=_words(MAX_DETAILS, _text(MAX_VALUE)),
    command=_either(_lines(MAX_COMMAND), listing(TEXT, maxItems=1_000)),
    script=_lines(MAX_COMMAND),
    workdir=_text(4_096, pattern="^(/[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*)?$"),
    user=_text(65, pattern=f"^({ACCOUNT.pattern})?$"),
    group=_text(65, pattern=f"^({ACCOUNT.pattern})?$"),
    env=_variables(MAX_VALUE),
    secrets=_variables(1_000),
    parameters=listing(reference("Parameter"), maxItems=MAX_LIST),
    timeout=_SECONDS,
    kill_wait=_number(0, 3_600),
    retries=_RETRIES,
    overlap=_OVERLAP,
    catch_up=_CATCH_UP,
    on_lost=_choice(*OnLost),
    start_deadline=_SECONDS,
    grace=_SECONDS,
    priority=_whole(-1_000_000, 1_000_000),
    cpus=_number(0, 10_000),
    mem=_number(0, 1e9),
    disk=_number(0, 1e12),
    emails=listing(_ADDRESS, maxItems=MAX_EMAILS),
    failure_alerts=_choice(*FailureAlerts),
    mail_report=_choice(*MailReport),
    mail_to=listing(_ADDRESS, maxItems=MAX_EMAILS),
    given={"type": "object", "propertyNames": {"pattern": f"^{DIALECT.pattern}$"}, "additionalProperties": {"type": "object"}},
)
_ANY = "[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*"
_NAME = {"name": _text(MAX_NAME, pattern=f"^{_ANY}[^\\W_]{_ANY}$")}
_IGNORED = {name: {"description": "Ignored, so that an answer can be sent back."} for name in READ_ONLY}
_MEANT = {"id": optional(TEXT), "namespace": optional(TEXT)}
_NEW = {
    "id": optional(_text(64, pattern=f"^({NAME.pattern})?$")),
    "namespace": optional(NAMESPACE),
}


def _body(beside: Mapping[str, Schema], **more: Any) -> Schema:
    return {**_DEFINITION, "properties": {**beside, **_NAME, **_DEFINITION["properties"], **_IGNORED}, **more}


# The command may be missing only where there is a script, or where nothing is run.
_RUNNABLE: dict[str, Any] = {
    "required": ["name"],
    "anyOf": [
        {"required": ["command"], "properties": {"command": _either({"type": "string", "minLength": 1}, {"type": "array", "minItems": 1})}},
        {"required": ["script"], "properties": {"script": {"type": "string", "minLength": 1}}},
        {"required": ["runner"], "properties": {"runner": {"enum": [runner for runner in Runner if runner is not Runner.COMMAND]}}},
    ],
}


# In answers every field is there, and says more by its presence than by its limits.
_SHOWN_DEFINITION: dict[str, Schema] = {
    "name": TEXT, "description": TEXT, "tags": listing(TEXT), "labels": STRINGS, "enabled": FLAG,
    "schedules": listing(reference("Schedule")), "pools": listing(TEXT), "mode": _choice(*Mode), "runner": _choice(*Runner),
    "runner_name": TEXT, "details": STRINGS, "command": _either(TEXT, listing(TEXT)), "script": TEXT, "workdir": TEXT,
    "user": TEXT, "group": TEXT, "env": STRINGS, "secrets": STRINGS,
    "parameters": listing(shape(name=TEXT, description=TEXT, default=optional(TEXT), required=FLAG, values=listing(TEXT))),
    "timeout": optional(NUMBER), "kill_wait": NUMBER, "retries": shape(max=INTEGER, wait=NUMBER, factor=NUMBER, longest=NUMBER),
    "overlap": shape(policy=_choice(*OverlapPolicy), limit=optional(INTEGER), waiting=INTEGER, across_nodes=FLAG),
    "catch_up": shape(policy=_choice(*CatchUpPolicy), within=NUMBER, max=INTEGER), "on_lost": _choice(*OnLost),
    "start_deadline": optional(NUMBER), "grace": optional(NUMBER), "priority": INTEGER, "cpus": NUMBER, "mem": NUMBER, "disk": NUMBER,
    "emails": listing(TEXT), "failure_alerts": _choice(*FailureAlerts), "mail_report": _choice(*MailReport), "mail_to": listing(TEXT),
    "given": {"type": "object", "additionalProperties": {"type": "object"}},
}  # fmt: skip
_RUN: dict[str, Schema] = {
    "id": TEXT, "job": TEXT, "job_name": TEXT, "job_version": INTEGER, "state": _choice(*RunState), "reason": TEXT, "scheduled_at": TIME,
    "due_at": TIME, "start_by": TIME, "slot": TEXT, "origin": _choice(*Origin), "node": TEXT, "attempt": INTEGER, "created_at": TIME,
    "claimed_at": optional(TIME), "started_at": optional(TIME), "ended_at": optional(TIME), "duration": optional(NUMBER),
    "exit_code": optional(INTEGER), "signal": optional(INTEGER), "end": optional(TEXT), "max_memory": optional(INTEGER),
    "cpu_user": optional(NUMBER), "cpu_system": optional(NUMBER), "stdout_bytes": INTEGER, "stderr_bytes": INTEGER,
    "left_behind": INTEGER,
    "attempts": listing(
        shape(number=INTEGER, node=TEXT, started_at=optional(TIME), ended_at=TIME, exit_code=optional(INTEGER), reason=TEXT, lost=FLAG)
    ),
    "parameters": STRINGS, "command": _either(TEXT, listing(TEXT)), "epoch": INTEGER, "orders": listing(TEXT),
}  # fmt: skip

_SIGNAL = _either({**TEXT, "enum": SIGNALS}, {**TEXT, "pattern": "^([1-9]|[1-5][0-9]|6[0-4])$"}, _whole(1, 64))

SCHEMAS: dict[str, Schema] = {
    "Schedule": _SCHEDULE,
    "Parameter": _PARAMETER,
    "NewJob": _body(_NEW, **_RUNNABLE),
    "ReplacedJob": _body(_MEANT, **_RUNNABLE),
    "PatchedJob": _body(_MEANT),
    "Definition": shape(**_SHOWN_DEFINITION),
    "Job": shape(
        id=TEXT, namespace=TEXT, version=INTEGER, canary=TEXT, **_SHOWN_DEFINITION,
        created_at=TIME, changed_at=TIME, changed_by=TEXT, next_at=optional(TIME), warnings=listing(TEXT),
        last_run=optional(reference("LastRun")),
    ),
    "LastRun": shape(
        id=TEXT, state=_choice(*RunState), reason=TEXT, scheduled_at=TIME, started_at=optional(TIME), ended_at=optional(TIME),
        exit_code=optional(INTEGER),
    ),
    "Preview": shape(definition=reference("Definition"), next_ticks=listing(TIME), warnings=listing(TEXT)),
    "JobPage": shape(jobs=listing(reference("Job")), next=optional(TEXT), total=INTEGER),
    "Ticks": shape(next_ticks=listing(TIME)),
    "RunRequest": _given(
        parameters={"type": "object", "additionalProperties": optional(_LONG)}, key=_text(MAX_KEY), force=FLAG,
    ),
    "Run": shape(**_RUN),
    "StartedRun": shape(**_RUN, runs=listing(TEXT)),
    "RunPage": shape(runs=listing(reference("Run")), next=optional(TEXT)),
    "Signal": {
        "type": "object",
        "properties": {"signal": _SIGNAL},
        "required": ["signal"],
        "additionalProperties": False,
    },
    "Node": shape(
        name=TEXT, alive=FLAG, draining=FLAG, running=INTEGER, pools=listing(TEXT), users=listing(TEXT), runners=listing(TEXT),
        timezone=TEXT, slots=INTEGER, cpus=NUMBER, mem=NUMBER, host=TEXT, pid=INTEGER, version=TEXT, started_at=TIME, seen_at=TIME,
    ),
    "NodeList": shape(nodes=listing(reference("Node"))),
    "Pool": shape(name=TEXT, nodes=listing(TEXT), paused=FLAG),
    "SwitchedPool": shape(name=TEXT, nodes=listing(TEXT), paused=FLAG, warnings=listing(TEXT)),
    "PoolList": shape(pools=listing(reference("Pool"))),
    "Execution": shape(enabled=FLAG),
    "OpenApi": {"type": "object"},
    "Done": shape(status=_choice("ok")),
    "Error": shape(status=_choice("error"), error=TEXT),
}  # fmt: skip
