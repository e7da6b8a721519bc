"""Definitions of jobs as JSON: what the API takes and gives, and what the stores keep."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from .errors import Invalid
from .fields import Fields, kind_of
from .job import (
    CatchUp,
    CatchUpPolicy,
    Definition,
    FailureAlerts,
    MailReport,
    Mode,
    OnLost,
    Overlap,
    OverlapPolicy,
    Parameter,
    Retries,
    Runner,
)
from .schedule import Schedule, parse_schedule, stored_schedules
from .seconds import MAX_SECONDS, MIN_SECONDS, whole
from .text import MAX_DESCRIPTION, MAX_NAME, checked_emails, slug_of

MAX_COMMAND = 65_536  # characters, as of a script
MAX_LIST = 100  # schedules, tags, labels, pools, parameters
MAX_ENV = 1_000
MAX_VALUE = 32_768
MAX_GIVEN = 65_536  # characters of JSON, for each dialect
MAX_DETAILS = 100
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_RULE = "up to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}\$?")
DIALECT = re.compile(r"[a-z]{1,20}")
_LABEL = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
# By these a command learns which run it is.
_RESERVED_VARIABLE = re.compile(r"JOB_[A-Z_]+")


def definition_from(value: object, *, job_id: str, now: datetime) -> Definition:
    """Raises Invalid, naming the field. `now` is where intervals begin that do not say."""
    fields = Fields(value)
    definition = replace(_read(fields), schedules=_schedules(fields, job_id, now))
    fields.refuse_rest()
    _refuse_nonsense(definition)
    return definition


def _read(fields: Fields) -> Definition:
    """All but the schedules, of which those that are stored are read in another way."""
    return Definition(
        name=_name(fields),
        description=fields.text("description", most=MAX_DESCRIPTION, lines=True),
        tags=tuple(dict.fromkeys(fields.texts("tags", most=MAX_LIST, longest=200))),
        labels=fields.mapping("labels", _LABEL, "a label's name: 1 to 200 printable characters", most=MAX_LIST, longest=1_000),
        enabled=fields.flag("enabled", default=True),
        pools=_pools(fields),
        mode=fields.choice("mode", Mode, Mode.ANY),
        runner=fields.choice("runner", Runner, Runner.COMMAND),
        runner_name=_runner_name(fields),
        details=fields.mapping("details", _LABEL, "a detail's name: 1 to 200 printable characters", most=MAX_DETAILS, longest=MAX_VALUE),
        command=_command(fields),
        script=fields.text("script", most=MAX_COMMAND, lines=True),
        workdir=_workdir(fields),
        user=_account(fields, "user"),
        group=_account(fields, "group"),
        env=_env(fields, "env", MAX_VALUE),
        secrets=_env(fields, "secrets", 1_000),
        parameters=_parameters(fields),
        timeout_seconds=_seconds(fields, "timeout"),
        kill_wait_seconds=whole(fields.number("kill_wait", 10, 0, 3_600)),
        retries=_retries(fields),
        overlap=_overlap(fields),
        catch_up=_catch_up(fields),
        on_lost=fields.choice("on_lost", OnLost, OnLost.FAIL),
        start_deadline_seconds=_seconds(fields, "start_deadline"),
        grace_seconds=_seconds(fields, "grace"),
        priority=fields.whole("priority", 0, -1_000_000, 1_000_000),
        cpus=whole(fields.number("cpus", 0, 0, 10_000)),
        mem=whole(fields.number("mem", 0, 0, 1e9)),
        disk=whole(fields.number("disk", 0, 0, 1e12)),
        emails=_addresses(fields, "emails"),
        failure_alerts=fields.choice("failure_alerts", FailureAlerts, FailureAlerts.FIRST),
        mail_report=fields.choice("mail_report", MailReport, MailReport.NEVER),
        mail_to=_addresses(fields, "mail_to"),
        given=_given(fields),
    )


def definition_as_json(definition: Definition) -> dict[str, Any]:
    """All fields, also those that nobody gave."""
    one = definition
    return {
        "name": one.name,
        "description": one.description,
        "tags": list(one.tags),
        "labels": dict(one.labels),
        "enabled": one.enabled,
        "schedules": [schedule.as_json() for schedule in one.schedules],
        "pools": list(one.pools),
        "mode": one.mode.value,
        "runner": one.runner.value,
        "runner_name": one.runner_name,
        "details": dict(one.details),
        "command": one.command if isinstance(one.command, str) else list(one.command),
        "script": one.script,
        "workdir": one.workdir,
        "user": one.user,
        "group": one.group,
        "env": dict(one.env),
        "secrets": dict(one.secrets),
        "parameters": [_parameter_as_json(parameter) for parameter in one.parameters],
        "timeout": one.timeout_seconds,
        "kill_wait": one.kill_wait_seconds,
        **_policies_as_json(one),
        "on_lost": one.on_lost.value,
        "start_deadline": one.start_deadline_seconds,
        "grace": one.grace_seconds,
        "priority": one.priority,
        "cpus": one.cpus,
        "mem": one.mem,
        "disk": one.disk,
        "emails": list(one.emails),
        "failure_alerts": one.failure_alerts.value,
        "mail_report": one.mail_report.value,
        "mail_to": list(one.mail_to),
        "given": {dialect: json.loads(text) for dialect, text in one.given},
    }


def _policies_as_json(definition: Definition) -> dict[str, Any]:
    retries, overlap, catch_up = definition.retries, definition.overlap, definition.catch_up
    return {
        "retries": {"max": retries.most, "wait": retries.wait_seconds, "factor": retries.factor, "longest": retries.longest_seconds},
        "overlap": {
            "policy": overlap.policy.value,
            "limit": overlap.limit,
            "waiting": overlap.waiting,
            "across_nodes": overlap.across_nodes,
        },
        "catch_up": {"policy": catch_up.policy.value, "within": catch_up.within_seconds, "max": catch_up.most},
    }


def definition_as_text(definition: Definition) -> str:
    """For stores; equal definitions give equal texts."""
    return json.dumps(definition_as_json(definition), separators=(",", ":"))


@lru_cache(maxsize=2_000)  # 2.5 KB each
def definition_from_text(text: str, job_id: str) -> Definition:
    """What `definition_as_text` wrote. Many runs share one text, and each is read several times.

    A newer version of the program may have written it: fields that we do not know are passed over.
    """
    return uncached_definition_from_text(text)


def uncached_definition_from_text(text: str) -> Definition:
    """As `definition_from_text`, of a text that nobody will read again soon."""
    value = json.loads(text)
    return replace(_read(Fields(value, lenient=True)), schedules=stored_schedules(value["schedules"]))


def runner_name_in(text: str) -> str:
    """Of what `definition_as_text` wrote, without reading all the rest; for whoever writes many runs."""
    return str(json.loads(text).get("runner_name", ""))


def merged(old: Definition, changes: object) -> dict[str, Any]:
    """The JSON of a definition in which some fields are replaced, each as a whole. Raises Invalid."""
    if not isinstance(changes, Mapping):
        raise Invalid(f"the body is {kind_of(changes)}, not an object")
    return {**definition_as_json(old), **changes}


def _name(fields: Fields) -> str:
    name = fields.text("name", most=MAX_NAME)
    if not slug_of(name).strip("-"):
        raise fields.error("name", "is missing" if not name else "must contain at least one letter or digit")
    return name


def _schedules(fields: Fields, job_id: str, now: datetime) -> tuple[Schedule, ...]:
    found = fields.items("schedules", MAX_LIST)
    return tuple(parse_schedule(value, field=f"schedules[{place}]", seed=job_id, now=now) for place, value in enumerate(found))


def _pools(fields: Fields) -> tuple[str, ...]:
    if not fields.has("pools"):
        return ("default",)
    return fields.words("pools", NAME, f"a pool's name: {NAME_RULE}", most=MAX_LIST)


def _runner_name(fields: Fields) -> str:
    name = fields.text("runner_name", most=64)
    if name and not NAME.fullmatch(name):
        raise fields.error("runner_name", f"{name!r} is not a runner's name: {NAME_RULE}")
    return name


def _given(fields: Fields) -> tuple[tuple[str, str], ...]:
    """As compact JSON; equal objects give equal texts."""
    value = fields.raw("given")
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise fields.error("given", f"is {kind_of(value)}, not an object")
    return tuple((dialect, _given_text(fields, dialect, one)) for dialect, one in sorted(value.items()))


def _given_text(fields: Fields, dialect: str, value: object) -> str:
    if not DIALECT.fullmatch(dialect):
        raise fields.error("given", f"{dialect[:60]!a} is not the name of an older system: up to 20 small letters")
    if not isinstance(value, dict):
        raise fields.error(f"given.{dialect}", f"is {kind_of(value)}, not an object")
    text = json.dumps(value, separators=(",", ":"))
    if len(text) > MAX_GIVEN:
        raise fields.error(f"given.{dialect}", f"has {len(text)} characters as JSON; at most {MAX_GIVEN} are allowed")
    return text


def _command(fields: Fields) -> str | tuple[str, ...]:
    value = fields.raw("command")
    if isinstance(value, list):
        arguments = fields.texts("command", most=1_000, longest=MAX_COMMAND, lines=True)
        if sum(map(len, arguments)) > MAX_COMMAND:
            raise fields.error("command", f"has more than {MAX_COMMAND} characters")
        return arguments
    return fields.text("command", most=MAX_COMMAND, lines=True)


def _workdir(fields: Fields) -> str:
    path = fields.text("workdir", most=4_096)
    if path and not path.startswith("/"):
        raise fields.error("workdir", f"{path!r} is not an absolute path")
    return path


def _account(fields: Fields, name: str) -> str:
    """A user's or a group's name; who it is differs from node to node."""
    text = fields.text(name, most=65)
    if text and not ACCOUNT.fullmatch(text):
        raise fields.error(name, f"{text!r} is not the name of a {name}")
    return text


def _env(fields: Fields, name: str, longest: int) -> tuple[tuple[str, str], ...]:
    found = fields.mapping(name, _VARIABLE, "a variable's name: letters, digits and underscores", most=MAX_ENV, longest=longest, lines=True)
    for variable, _ in found:
        if _RESERVED_VARIABLE.fullmatch(variable):
            raise fields.error(name, f"{variable!r}: the variables JOB_... are set by Coal Mine")
    return found


def _parameters(fields: Fields) -> tuple[Parameter, ...]:
    found = []
    for place, value in enumerate(fields.items("parameters", MAX_LIST)):
        one = fields.inside(value, f"parameters[{place}]")
        found.append(_parameter(one))
        one.refuse_rest()
    names = [parameter.name for parameter in found]
    if len(set(names)) < len(names):
        raise fields.error("parameters", "names one parameter twice")
    return tuple(found)


def _parameter(one: Fields) -> Parameter:
    name = one.text("name", most=128)
    if not _VARIABLE.fullmatch(name) or _RESERVED_VARIABLE.fullmatch(name):
        raise one.error("name", f"{name!r} is not a parameter's name: letters, digits and underscores, and not JOB_...")
    parameter = Parameter(
        name=name,
        description=one.text("description", most=MAX_DESCRIPTION, lines=True),
        default=one.text("default", most=MAX_VALUE, lines=True) if one.has("default") else None,
        required=one.flag("required", default=False),
        values=one.texts("values", most=MAX_ENV, longest=MAX_VALUE, lines=True),
    )
    if parameter.values and parameter.default is not None and parameter.default not in parameter.values:
        raise one.error("default", "is none of the values")
    return parameter


def _parameter_as_json(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "description": parameter.description,
        "default": parameter.default,
        "required": parameter.required,
        "values": list(parameter.values),
    }


def _seconds(fields: Fields, name: str) -> float | None:
    value = fields.optional_number(name, MIN_SECONDS, MAX_SECONDS)
    return None if value is None else whole(value)


def _retries(fields: Fields) -> Retries:
    """A number says how many; an object says all."""
    if isinstance(fields.raw("retries"), dict):
        return fields.part("retries", _all_retries, Retries())
    return Retries(most=fields.whole("retries", 0, 0, 1_000))


def _all_retries(one: Fields) -> Retries:
    default = Retries()
    return Retries(
        most=one.whole("max", default.most, 0, 1_000),
        wait_seconds=whole(one.number("wait", default.wait_seconds, 0, 86_400)),
        factor=whole(one.number("factor", default.factor, 1, 100)),
        longest_seconds=whole(one.number("longest", default.longest_seconds, 0, 86_400)),
    )


def _overlap(fields: Fields) -> Overlap:
    """A text names the policy; an object says all."""
    value = fields.raw("overlap")
    if isinstance(value, dict):
        return fields.part("overlap", _all_overlap, Overlap())
    if value == "queue_one":
        return Overlap(policy=OverlapPolicy.QUEUE)
    policy = fields.choice("overlap", OverlapPolicy, OverlapPolicy.SKIP)
    return Overlap(policy=policy, waiting=10 if policy is OverlapPolicy.QUEUE else 1)


def _all_overlap(one: Fields) -> Overlap:
    default = Overlap()
    return Overlap(
        policy=one.choice("policy", OverlapPolicy, default.policy),
        limit=one.whole("limit", 0, 1, 10_000) if one.has("limit") else None,
        waiting=one.whole("waiting", default.waiting, 1, 10_000),
        across_nodes=one.flag("across_nodes", default=default.across_nodes),
    )


def _catch_up(fields: Fields) -> CatchUp:
    if isinstance(fields.raw("catch_up"), dict):
        return fields.part("catch_up", _all_catch_up, CatchUp())
    return CatchUp(policy=fields.choice("catch_up", CatchUpPolicy, CatchUpPolicy.LATEST))


def _all_catch_up(one: Fields) -> CatchUp:
    default = CatchUp()
    return CatchUp(
        policy=one.choice("policy", CatchUpPolicy, default.policy),
        within_seconds=whole(one.number("within", default.within_seconds, 1, MAX_SECONDS)),
        most=one.whole("max", default.most, 1, 10_000),
    )


def _addresses(fields: Fields, name: str) -> tuple[str, ...]:
    found = fields.items(name, MAX_LIST)
    for place, address in enumerate(found):
        Fields.checked_text(f"{name}[{place}]", address, MAX_NAME)
    try:
        return checked_emails(found)
    except Invalid as error:
        raise Invalid(f"{name}: {error}") from error


def _refuse_nonsense(definition: Definition) -> None:
    if not definition.pools:
        raise Invalid("pools is empty: no node would ever run the job")
    if definition.mail_report is not MailReport.NEVER and not definition.mail_to:
        raise Invalid(f"mail_report is {definition.mail_report}, but mail_to names nobody")
    if definition.runner is Runner.COMMAND and not definition.command and not definition.script:
        raise Invalid("command is missing (or give a script, or the runner dummy, which runs nothing)")
    if definition.runner is Runner.INSTANCE and not definition.runner_name:
        raise Invalid("runner_name is missing: which [runner:NAME] of the nodes calls the instance")
    if definition.runner_name and definition.runner is Runner.COMMAND:
        raise Invalid(f"runner_name is {definition.runner_name!r}, but the runner is command: name the runner, such as dummy or instance")
    if definition.script and isinstance(definition.command, str) and definition.command:
        raise Invalid("command must be a list beside a script: the script's arguments")
    if isinstance(definition.command, tuple) and not definition.script and definition.command and not definition.command[0]:
        raise Invalid("command[0] is empty: it names the program")
    both = {name for name, _ in definition.env} & {name for name, _ in definition.secrets}
    if both:
        raise Invalid(f"secrets names {min(both)!r}, which env does too")
