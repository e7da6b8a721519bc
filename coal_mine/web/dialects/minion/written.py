"""A job as a client of Minion writes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coal_mine.domain.errors import Invalid
from coal_mine.domain.fields import kind_of

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_TEXTS = ("account", "description", "group", "id", "modified_at", "modified_by", "name", "schedule_expression")
# What is kept of a job as it was written: the path says account, group and id, and what is unknown was always dropped.
_KEPT = ("description", "name", "modified_by", "schedule_expression", "enabled", "details")


@dataclass(frozen=True, slots=True)
class Written:
    """The job's fields, those that were given, each of the right type."""

    members: Mapping[str, Any]
    wraps: bool = False  # in Minion's later form, an object with `job` and `tags`
    tags: Any = None  # of the later form, kept as they are

    def text(self, name: str) -> str:
        return self.members.get(name) or ""

    @property
    def enabled(self) -> bool:
        return bool(self.members.get("enabled"))

    @property
    def details(self) -> dict[str, str] | None:
        return self.members.get("details")

    @property
    def runner(self) -> str:
        """The name of the runner; empty: none is named."""
        return (self.details or {}).get("runner", "")

    def as_kept(self, modified_at: str) -> dict[str, Any]:
        """What a definition keeps of it."""
        kept = {name: self.members[name] for name in _KEPT if name in self.members}
        return kept | {"modified_at": modified_at} | ({"tags": self.tags} if self.wraps else {})


def written(body: object) -> Written:
    """Raises Invalid, naming the field. null is as good as absent, as Go has it."""
    members = _object(body, "the body")
    if "job" not in members:
        return Written(_checked(members))
    tags = members.get("tags")
    _check_tags(tags)
    return Written(_checked(_object(members["job"], "job")), wraps=True, tags=tags)


def kept(members: Mapping[str, Any]) -> Written:
    """What `as_kept` made; a definition may have got anything else by the native API, and what is not right is left out."""
    right: dict[str, Any] = {}
    for name, value in members.items():
        try:
            right |= _checked({name: value})
        except Invalid:
            continue
    return Written(right, wraps="tags" in members, tags=members.get("tags"))


def _checked(members: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in members.items() if value is not None and name in (*_TEXTS, "enabled", "details")}
    for name in _TEXTS:
        if not isinstance(given.get(name, ""), str):
            raise _wrong(name, given[name], "a text")
    if not isinstance(given.get("enabled", False), bool):
        raise _wrong("enabled", given["enabled"], "true or false")
    for name, value in _object(given.get("details", {}), "details").items():
        if not isinstance(value, str):
            raise _wrong(f"details.{name[:60]}", value, "a text")
    if given.get("modified_at") and not _is_time(given["modified_at"]):
        raise Invalid(f"modified_at {given['modified_at'][:60]!r} is not a time such as 2020-02-27T16:22:09Z")
    return given


def _check_tags(tags: object) -> None:
    if tags is None:
        return
    if not isinstance(tags, list):
        raise _wrong("tags", tags, "a list")
    for place, tag in enumerate(tags):
        for name, value in _object(tag, f"tags[{place}]").items():
            if name in ("key", "value") and not isinstance(value, str):
                raise _wrong(f"tags[{place}].{name}", value, "a text")


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"{where} is {kind_of(value)}, not an object")
    return value


def _wrong(name: str, value: object, wanted: str) -> Invalid:
    return Invalid(f"{name} is {kind_of(value)}, not {wanted}")


def _is_time(text: str) -> bool:
    try:
        return bool(_TIME.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:
        return False
