"""What somebody says who wants a job to run now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from coal_mine.domain import run as states
from coal_mine.domain.definition import MAX_VALUE, definition_as_text
from coal_mine.domain.errors import Invalid
from coal_mine.domain.fields import Fields
from coal_mine.domain.job import Definition, Job, Overlap, OverlapPolicy, Pairs, Parameter
from coal_mine.domain.run import Origin, Run
from coal_mine.domain.text import check_text

MAX_KEY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    parameters: Mapping[str, Any] = field(default_factory=dict)  # texts, not checked yet
    key: str = ""  # two requests with one key are one; empty: this one is like no other
    force: bool = False  # whatever the overlap policy says
    node: str = ""  # the only one that may take it, whatever pools it serves; empty: those of the job
    waits: bool = True  # False: it is refused when no node could take it now
    command: str | tuple[str, ...] | None = None  # instead of the job's


def checked_key(key: str) -> str:
    check_text(key, "key", MAX_KEY, allow_lines=False)
    return key


def checked_parameters(definition: Definition, given: Mapping[str, Any]) -> Pairs:
    """The values of all parameters that have one, in the definition's order. Raises Invalid."""
    fields = Fields(dict(given), "parameters")
    known = {parameter.name: parameter for parameter in definition.parameters}
    for name in given:
        if name not in known:
            listed = f"known are {', '.join(known)}" if known else "this job has none"
            raise Invalid(f"unknown parameter {str(name)[:60]!a}; {listed}")
    values = ((name, _value(parameter, fields)) for name, parameter in known.items())
    return tuple((name, value) for name, value in values if value is not None)


def _value(parameter: Parameter, fields: Fields) -> str | None:
    if not fields.has(parameter.name):
        if parameter.required and parameter.default is None:
            raise fields.error(parameter.name, "is missing")
        return parameter.default
    value = fields.text(parameter.name, most=MAX_VALUE, lines=True)
    if parameter.values and value not in parameter.values:
        raise fields.error(parameter.name, f"is {value[:60]!a}, which is none of {', '.join(parameter.values)[:1_000]}")
    return value


def prefix_of(job_id: str, mark: str) -> str:
    """How the ids of all runs of one request begin."""
    return f"{job_id}.m-{mark}."


def mark_of(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:16]


def asked_run(job: Job, slot: str, request: RunRequest, *, prefix: str, parameters: Pairs, pools: tuple[str, ...], now: datetime) -> Run:
    deadline = job.definition.start_deadline(now)
    run = states.planned(job, now, slot, origin=Origin.MANUAL, start_by=now + deadline, now=now)
    run = replace(run, id=prefix + slot, pools=pools, parameters=parameters, command=request.command)
    if not request.force:
        return run
    free = replace(job.definition, overlap=Overlap(policy=OverlapPolicy.ALLOW))
    return replace(run, definition_text=definition_as_text(free))
