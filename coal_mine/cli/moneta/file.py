"""Moneta's configuration as a file: its own backups and ours, in JSON or YAML, and what `GET /tasks` answers."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from coal_mine.domain.errors import Invalid
from coal_mine.domain.text import printable

from . import yaml_text

TASK_ID = re.compile("[0-9a-z]+")
_MEMBERS = frozenset({"tasks", "tick", "mailer", "audit", "execution_enabled"})
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class MonetaFile:
    """Each task as it is in the file, by id, and the options by name."""

    tasks: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.tasks) + len(self.options)

    def disabled(self) -> MonetaFile:
        """With no task that its schedules run."""
        return MonetaFile({task_id: _disabled(task) for task_id, task in self.tasks.items()}, self.options)


def read_file(name: str, data: bytes) -> MonetaFile:
    """Raises Invalid, which says where the mistake is."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{name}: byte {error.start + 1} is no UTF-8 text") from error
    try:
        value = _value(name, text)
        _Check(name, yaml_text.most_values(text)).all_of(value)
    except RecursionError:
        raise Invalid(f"{name}: more than {yaml_text.DEPTH} levels deep") from None
    return _sorted_out(name, value)


def _disabled(task: Any) -> Any:
    return {**task, "enabled": False} if isinstance(task, dict) and task.get("enabled") is True else task


def _value(name: str, text: str) -> Any:
    """What begins with a brace is JSON, whatever the file is called; YAML can begin so, too, and is then tried as well."""
    if not text.lstrip().startswith("{"):
        return yaml_text.value(name, text)
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except ValueError as error:
        if name.lower().endswith((".yaml", ".yml")):
            return yaml_text.value(name, text)
        raise Invalid(f"{name}: {_json_fault(error)}") from error


def _json_fault(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    return str(error)


class _Twice(dict[str, Any]):
    """An object with a key that comes again; only who knows where it is can say so."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = _Twice(found)
    twice.key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
    return twice


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")


class _Check:
    """Whether what was read can be sent as JSON. Raises Invalid."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._left = most

    def all_of(self, value: Any, path: tuple[str, ...] = ()) -> None:
        self._left -= 1
        if self._left < 0:
            raise Invalid(f"{self._name}: aliases of aliases stand for far more than the file has")
        if len(path) > yaml_text.DEPTH:
            raise RecursionError
        if isinstance(value, dict):
            self._refuse_twice(value, path)
            self._each(value.items(), path)
        elif isinstance(value, list):
            self._each(((str(place), one) for place, one in enumerate(value, 1)), path)
        elif not isinstance(value, str | int | float | None) or (isinstance(value, float) and not math.isfinite(value)):
            raise Invalid(f"{self._name}: {_place(path)} is {value!r:.60}, which cannot be said in JSON")

    def _each(self, members: Iterable[tuple[str, Any]], path: tuple[str, ...]) -> None:
        for key, one in members:
            self.all_of(one, (*path, key))

    def _refuse_twice(self, value: dict[str, Any], path: tuple[str, ...]) -> None:
        if isinstance(value, _Twice):
            raise Invalid(f"{self._name}: {_place((*path, value.key))} is given twice")


def _place(path: tuple[str, ...]) -> str:
    return printable(".".join(path))[:_SHOWN] or "the file"


def _sorted_out(name: str, value: Any) -> MonetaFile:
    if not isinstance(value, dict):
        raise Invalid(f"{name}: no configuration of Moneta: an object with the member tasks is needed")
    if not _MEMBERS & value.keys() and value and all(isinstance(one, dict) for one in value.values()):
        return MonetaFile(value)
    tasks = {} if value.get("tasks") is None else value["tasks"]
    if not isinstance(tasks, dict):
        raise Invalid(f"{name}: tasks is no object: it has the tasks by their ids")
    if not _MEMBERS & value.keys():
        raise Invalid(f"{name}: no configuration of Moneta: there is neither the member tasks nor any option")
    return MonetaFile(tasks, {option: one for option, one in value.items() if option != "tasks"})
