"""Jobs as tasks of Moneta.

A task is shown as its client has written it, as long as that still says what the job is. Where the job was changed in another way, what has
changed is written over it, and what nobody knows stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from coal_mine.domain.definition import definition_as_json
from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import Definition

from .calls import ID
from .written import DIALECT, MORE, NO_COMMAND, REST, SAME, definition_of

_ID = re.compile(ID)
_DECIDED_BY_WORDS = {**SAME, "schedules": "schedules", "command": "command", "concurrency": "overlap"}
# Moneta's web client shows no task at all when one lacks these.
_ALWAYS_SHOWN: Mapping[str, list[str]] = {"tags": [], "pools": ["default"]}
# Said only where there is something to say.
_BRIEF = ("workdir", "user", "group")

Native = Mapping[str, Any]
Task = dict[str, Any]


def is_task(job_id: str) -> bool:
    """Only such ids have a place in Moneta's paths; a namespace, which has colons, makes none."""
    return bool(_ID.fullmatch(job_id))


def completed(task: Native) -> Task:
    """A task with the lists that are always shown, as a job has them by whose task they were not given."""
    return {**task, **{word: value for word, value in _ALWAYS_SHOWN.items() if not isinstance(task.get(word), list)}}


class TaskView:
    def __init__(self, zone: str) -> None:
        """`zone` is that of schedules whose task names none, as all of Moneta's do."""
        self._zone = zone

    def task(self, job_id: str, definition: Definition) -> Task:
        native = definition_as_json(definition)
        given = dict(definition.given).get(DIALECT)
        task = self._as_given(given, native, job_id) if given else self._written_over({}, {}, native, job_id)
        return task | {word: native[word] for word in _ALWAYS_SHOWN if not isinstance(task.get(word), list)}

    def _as_given(self, given: str, native: Native, job_id: str) -> Task:
        task: Task = json.loads(given)
        told = _told(given, job_id, self._zone)
        if told is None:
            return self._written_over(task, {}, native, job_id)
        if _say_the_same(told, native):
            return task
        shown = self._written_over(task, told, native, job_id)
        again = _told(json.dumps(shown), job_id, self._zone)
        # Several kinds of schedules, for which nobody thought of this: then all words are ours.
        return shown if again and _say_the_same(again, native) else self._written_over(task, {}, native, job_id)

    def _written_over(self, task: Task, told: Native, native: Native, job_id: str) -> Task:
        zone = self._zone_of(native)
        written = {word: value for word, value in task.items() if word != MORE}
        for word, name in _DECIDED_BY_WORDS.items():
            if name not in told or told[name] != native[name]:
                said = _said(word, native, zone)
                if said is None:
                    written.pop(word, None)
                else:
                    written[word] = said
        more = dict(self._rest(written, native, zone, job_id))
        return {**written, MORE: more} if more else written

    def _zone_of(self, native: Native) -> str:
        """Of those schedules that Moneta can say."""
        zones = [schedule["timezone"] for schedule in native["schedules"] if _is_fields(schedule)]
        return self._zone if not zones or self._zone in zones else str(zones[0])

    def _rest(self, task: Task, native: Native, zone: str, job_id: str) -> dict[str, Any]:
        """What the words of the task do not say."""
        told = _told(json.dumps({**task, "enabled": False, "schedules": []}), job_id, zone) or {}
        rest = {name: native[name] for name in REST if name in native and name != "schedules" and native[name] != told.get(name)}
        if isinstance(native["command"], str):
            rest.pop("command", None)
        if "overlap" in rest:
            rest["overlap"] = {name: value for name, value in native["overlap"].items() if name != "limit"}
        others = [schedule for schedule in native["schedules"] if not _is_said(schedule, zone)]
        return rest | ({"timezone": zone} if zone != self._zone else {}) | ({"schedules": others} if others else {})


def _said(word: str, native: Native, zone: str) -> Any:
    """None: nothing is to be said."""
    match word:
        case "schedules":
            return [_in_lists(schedule["fields"]) for schedule in native["schedules"] if _is_said(schedule, zone)]
        case "command":
            command = native["command"]
            return command if isinstance(command, str) and command not in ("", NO_COMMAND) else None
        case "concurrency":
            return native["overlap"]["limit"] or 0
    value = native[SAME[word]]
    return None if word in _BRIEF and not value else value


def _in_lists(fields: Native | None) -> Native | None:
    """The same fields, with lists of texts: any other value is a star to Moneta's web client, which is every minute to whoever sees it."""
    return fields and {name: value if isinstance(value, list) or value in (None, "") else [str(value)] for name, value in fields.items()}


def _is_fields(schedule: Native) -> bool:
    return "fields" in schedule


def _is_said(schedule: Native, zone: str) -> bool:
    return _is_fields(schedule) and schedule["timezone"] == zone


def _say_the_same(told: Native, native: Native) -> bool:
    """In whatever order the schedules are, and whether or not their values are lists."""
    return all(told[name] == native[name] for name in native if name not in ("given", "schedules")) and (
        _in_order(told["schedules"]) == _in_order(native["schedules"])
    )


def _in_order(schedules: list[Any]) -> list[str]:
    return sorted(
        json.dumps(schedule | {"fields": _in_lists(schedule["fields"])} if _is_fields(schedule) else schedule) for schedule in schedules
    )


def _told(given: str, job_id: str, zone: str) -> Native | None:
    """What a task says about a job, in the native API's words; None: it can no longer be read."""
    try:
        return definition_as_json(definition_of(json.loads(given), job_id, zone))
    except Invalid:
        return None
