"""Sends what a file with Moneta's configuration says to a server, by Moneta's own API there, one task at a time."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from coal_mine.cli.api import Api
from coal_mine.cli.connection import Connection, error_in

from .file import TASK_ID, MonetaFile

if TYPE_CHECKING:
    from requests import Response

# The server has looked at this task or option and does not want it; others may be wanted.
_REFUSALS = frozenset({400, 404, 409, 413})
# Of tasks that say nothing about them, too.
_ALWAYS_SHOWN = {"tags": [], "pools": ["default"]}
_JSON = {"Content-Type": "application/json"}


class Result(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What became of a task or an option, or would become of it."""

    kind: str  # "task" or "option"
    id: str
    name: str = ""  # a task's
    result: Result
    reason: str = ""  # why it was refused
    changes: tuple[str, ...] = ()  # which members would change
    warnings: tuple[str, ...] = ()  # what is allowed and probably not meant

    def as_json(self) -> dict[str, Any]:
        task = {"name": self.name} if self.kind == "task" else {}
        reason = {"reason": self.reason} if self.result is Result.REFUSED else {}
        changes = {"changes": list(self.changes)} if self.changes else {}
        warnings = {"warnings": list(self.warnings)} if self.warnings else {}
        return {"id": self.id, **task, "result": self.result.value, **reason, **changes, **warnings}


@dataclass(frozen=True, slots=True)
class Place:
    """What decides when tasks run that are imported to this server."""

    timezone: str  # in which it reads schedules
    execution: bool  # whether anything is started

    def with_options(self, options: Mapping[str, Any]) -> Place:
        """As it is when these have been set."""
        execution = options.get("execution_enabled")
        return replace(self, execution=execution) if isinstance(execution, bool) else self


def as_json(items: Sequence[Item], place: Place, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "timezone": place.timezone,
        "tasks": [item.as_json() for item in items if item.kind == "task"],
        "options": [item.as_json() for item in items if item.kind == "option"],
        "summary": {result.value: sum(item.result is result for item in items) for result in Result},
    }


class Importer:
    """Every method raises Refused, when nothing at all is wanted from this caller, and Unreachable."""

    def __init__(self, connection: Connection, *, dry_run: bool) -> None:
        self._connection = connection
        self._query: dict[str, str | list[str]] = {"dry_run": "true"} if dry_run else {}

    def place(self) -> Place:
        """Asked first: only this program answers, and not Moneta, which would write even in a dry run."""
        execution = bool(Api(self._connection).get("execution").get("enabled"))
        response = self._connection.call("GET", "/status", {}, headers={})
        status = self._connection.read_json(response)
        if not isinstance(status, dict) or not isinstance(status.get("timezone"), str):
            raise self._connection.strange(response)
        return Place(status["timezone"], execution)

    def each(self, content: MonetaFile) -> Iterator[Item]:
        for name, value in content.options.items():
            yield self._option(name, value)
        for task_id, task in content.tasks.items():
            yield self._task(task_id, task)

    def _task(self, task_id: str, task: Any) -> Item:
        name = str(task.get("name", "")) if isinstance(task, dict) else ""
        if not TASK_ID.fullmatch(task_id):
            reason = "its id has other characters than a to z and 0 to 9, as Moneta's paths allow none; give it another one in the file"
            return Item(kind="task", id=task_id, name=name, result=Result.REFUSED, reason=reason)
        response = self._put(f"/tasks/{task_id}", task)
        if response.status_code in _REFUSALS:
            return Item(kind="task", id=task_id, name=name, result=Result.REFUSED, reason=_reason(response))
        answer = self._answer(response)
        result = Result.CREATED if answer.get("created") else Result.UNCHANGED if answer.get("unchanged") else Result.UPDATED
        changes = self._changes(task_id, task) if self._query and result is Result.UPDATED else ()
        return Item(kind="task", id=task_id, name=name, result=result, changes=changes, warnings=tuple(answer.get("warnings", ())))

    def _answer(self, response: Response) -> dict[str, Any]:
        answer = self._connection.read_json(response)
        if not isinstance(answer, dict) or bool(self._query) != ("dry_run" in answer):
            raise self._connection.strange(response)
        return answer

    def _changes(self, task_id: str, task: dict[str, Any]) -> tuple[str, ...]:
        """Members that the server's task has otherwise."""
        there = self._connection.read_json(self._get(f"/tasks/{task_id}"))
        if not isinstance(there, dict):  # deleted just now
            return ()
        here = {**_ALWAYS_SHOWN, **task}
        return tuple(member for member in dict.fromkeys([*task, *there]) if not _is_same(here.get(member), there.get(member)))

    def _option(self, name: str, value: Any) -> Item:
        path = f"/cluster/config/{name}"
        before = self._get(path) if TASK_ID.fullmatch(name.replace("_", "")) else None
        if before is None or before.status_code == 404:
            reason = "there is no such option here; only tick, mailer, audit and execution_enabled are taken over"
            return Item(kind="option", id=name, result=Result.REFUSED, reason=reason)
        if _is_same(self._connection.read_json(before), value):
            return Item(kind="option", id=name, result=Result.UNCHANGED)
        response = self._put(path, value)
        if response.status_code in _REFUSALS:
            return Item(kind="option", id=name, result=Result.REFUSED, reason=_reason(response))
        return Item(kind="option", id=name, result=Result.UPDATED)

    def _get(self, path: str) -> Response:
        return self._call("GET", path, None, {404})

    def _put(self, path: str, value: Any) -> Response:
        return self._call("PUT", path, json.dumps(value).encode(), _REFUSALS)

    def _call(self, method: str, path: str, body: bytes | None, may_be: Collection[int]) -> Response:
        query, headers = (self._query, _JSON) if body is not None else ({}, {})
        return self._connection.call(method, path, query, body=body, headers=headers, may_be=may_be)


def _is_same(one: Any, other: Any) -> bool:
    """In JSON: Python takes 1, 1.0 and true for the same."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _reason(response: Response) -> str:
    return error_in(Connection.read_json(response)) or f"the server answered {response.status_code}"
