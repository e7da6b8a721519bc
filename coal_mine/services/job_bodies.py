"""What users send when they create or change a job: its definition, and beside it what says which job is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coal_mine.domain.definition import NAME, NAME_RULE
from coal_mine.domain.errors import Invalid
from coal_mine.domain.fields import Fields, kind_of
from coal_mine.domain.job import Job
from coal_mine.domain.reserved import FIRST_SEGMENTS

# What answers show and nobody can set. It is accepted, so that an answer can be edited and sent back.
READ_ONLY = ("version", "canary", "created_at", "changed_at", "changed_by", "next_at", "warnings", "last_run")
MAX_LEVELS = 2


@dataclass(frozen=True, slots=True)
class JobBody:
    definition: dict[str, Any]  # not checked yet
    id: str  # the last part; empty: none was given
    namespace: tuple[str, ...]


def new_job(value: object) -> JobBody:
    """For a job that does not exist yet. Raises Invalid."""
    members = _members(value)
    own_id, namespace = _texts(members)
    if own_id and not NAME.fullmatch(own_id):
        raise Invalid(f"id {own_id[:100]!r} is not {NAME_RULE}; a namespace is a field of its own")
    if own_id in FIRST_SEGMENTS and not namespace:
        raise Invalid(f"id {own_id!r} is reserved: paths begin with it")
    return JobBody(_definition(members), own_id, namespace_from(namespace))


def for_job(value: object, job: Job) -> dict[str, Any]:
    """The definition, or a part of it, for a job that exists. Raises Invalid when another job is meant."""
    members = _members(value)
    own_id, namespace = _texts(members)
    if own_id and own_id != job.id:
        raise Invalid(f"id {own_id[:100]!r} cannot be changed: this is {job.id!r}")
    if members.get("namespace") is not None and namespace != "/".join(job.namespace):
        raise Invalid(f"namespace {namespace[:200]!r} cannot be changed: this is {'/'.join(job.namespace)!r}")
    return _definition(members)


def namespace_from(text: str) -> tuple[str, ...]:
    """ "group" or "group/project"; empty: none. Raises Invalid."""
    levels = tuple(text.split("/")) if text else ()
    if len(levels) > MAX_LEVELS:
        raise Invalid(f"namespace {text[:200]!r} has {len(levels)} levels; at most {MAX_LEVELS} are allowed, such as 'group/project'")
    for level in levels:
        if not NAME.fullmatch(level):
            raise Invalid(f"namespace {text[:200]!r}: {level[:100]!r} is not {NAME_RULE}")
    return levels


def _members(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"the body is {kind_of(value)}, not an object")
    return value


def _texts(members: Mapping[str, Any]) -> tuple[str, str]:
    fields = Fields(dict(members))
    return fields.text("id", most=300), fields.text("namespace", most=200)


def _definition(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in ("id", "namespace", *READ_ONLY)}
