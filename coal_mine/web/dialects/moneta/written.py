"""A task as its client has written it, read as the definition of a job.

What is wrong is refused by the rules of jobs; here are only the words. Members that nobody knows are kept with the task. What Moneta has no
word for is in the member `coal_mine`, by the words of the native API, so that clients that send a whole task back keep it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from coal_mine.domain.definition import definition_from
from coal_mine.domain.errors import Invalid
from coal_mine.domain.fields import kind_of
from coal_mine.domain.job import Definition, MailReport
from coal_mine.domain.localtime import check_zone_of
from coal_mine.domain.seconds import MAX_SECONDS
from coal_mine.domain.text import checked_name
from coal_mine.domain.times import EPOCH

DIALECT = "moneta"
MORE = "coal_mine"
# The command of a task that has none. Moneta stores such tasks, and whoever runs one shall hear why nothing happens.
NO_COMMAND = "echo 'This task has no command: give it one.' >&2; exit 1"
# Moneta's words that say all that one of ours does; see also `schedules`, `command` and `concurrency`, which say most of it.
SAME = {
    "name": "name",
    "description": "description",
    "tags": "tags",
    "enabled": "enabled",
    "mode": "mode",
    "pools": "pools",
    "workdir": "workdir",
    "user": "user",
    "group": "group",
    "env": "env",
    "mailreport": "mail_report",
    "mailto": "mail_to",
}
# What `coal_mine` may have beside: the rest of a definition, and the zone of the schedules.
REST = (
    *("timezone", "schedules", "command", "overlap", "labels", "runner", "runner_name", "details", "script", "secrets", "parameters"),
    *("timeout", "kill_wait", "retries", "catch_up", "on_lost", "start_deadline", "grace", "priority", "cpus", "mem", "disk"),
    *("emails", "failure_alerts"),
)
_SEPARATORS = re.compile("[,;]")

Task = Mapping[str, Any]


def definition_of(task: object, task_id: str, zone: str) -> Definition:
    """Raises Invalid, in Moneta's words. An interval without a beginning has one that is of no use."""
    with in_its_words():
        return definition_from(native_of(task, task_id, zone), job_id=task_id, now=EPOCH)


def native_of(task: object, task_id: str, zone: str) -> dict[str, Any]:
    """As the native API takes definitions, with the task as it is. `zone` is that of its schedules. Raises Invalid for what has no form."""
    if not isinstance(task, dict):
        raise Invalid(f"the task is {kind_of(task)}, not an object")
    more = _more(task)
    definition = {word: task.get(word) for word in ("description", "tags", "pools", "workdir", "user", "group", "env")}
    mail_to = _mail_to(task)
    return {
        **definition,
        **{name: value for name, value in more.items() if name != "timezone"},
        "name": _name(task, task_id),
        "enabled": False if task.get("enabled") is None else task["enabled"],
        "mode": "any" if task.get("mode") == "any" else "all",
        "schedules": [*_schedules(task, more.get("timezone") or zone), *_list(more, "schedules", f"{MORE}.schedules")],
        "command": _command(task, more),
        "overlap": _overlap(task, more),
        "catch_up": {"policy": "latest", "within": MAX_SECONDS} if more.get("catch_up") is None else more["catch_up"],
        "mail_report": _mail_report(task, mail_to),
        "mail_to": mail_to,
        "given": {DIALECT: task},
    }


@contextmanager
def in_its_words() -> Iterator[None]:
    """Tell of a definition's faults as of the task's."""
    try:
        yield
    except Invalid as error:
        text = re.sub(r"^(schedules\[\d+\])\.fields\b", r"\1", str(error))
        text = re.sub(r"^overlap\.limit\b", "concurrency", text)
        text = re.sub(r"^(concurrency is .* lie between .*)", r"\1, or be 0 for no limit", text)
        text = re.sub(rf"^given\.{DIALECT}\b", "the task", text)
        raise Invalid(re.sub(r"^mail_(to|report)\b", r"mail\1", text)) from error


def _more(task: Task) -> Mapping[str, Any]:
    more = task.get(MORE)
    if more is None:
        return {}
    if not isinstance(more, dict):
        raise Invalid(f"{MORE} is {kind_of(more)}, not an object")
    for name in more:
        if name not in REST:
            own = f"the task's own {next(word for word in SAME if SAME[word] == name)}" if name in SAME.values() else "not known"
            raise Invalid(f"{MORE} has {name[:60]!a}, which is {own}; it may have {', '.join(REST)}")
    _check_zone(more.get("timezone"))
    return more


def _check_zone(name: object) -> None:
    """Also where there is no schedule yet: else whoever adds one later would be told of a mistake that is not theirs."""
    if name is not None and not isinstance(name, str):
        raise Invalid(f"{MORE}.timezone is {kind_of(name)}, not a text")
    if name:
        check_zone_of(MORE, name)


def _name(task: Task, task_id: str) -> str:
    """The id for a name that no canary could have."""
    name = task.get("name")
    try:
        return checked_name(name) if isinstance(name, str) else task_id
    except Invalid:
        return task_id


def _schedules(task: Task, zone: str) -> list[Any]:
    return [{"fields": fields, "timezone": zone} for fields in _list(task, "schedules", "schedules")]


def _list(members: Mapping[str, Any], name: str, place: str) -> list[Any]:
    value = members.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Invalid(f"{place} is {kind_of(value)}, not a list")
    return value


def _command(task: Task, more: Mapping[str, Any]) -> Any:
    command = task.get("command")
    if command is not None and not isinstance(command, str):
        raise Invalid(f"command is {kind_of(command)}, not a text for the shell")
    if command and command.strip():
        return command
    if any(more.get(name) not in (None, "") for name in ("command", "script", "runner")):
        return more.get("command")
    if task.get("enabled"):
        raise Invalid("command is missing: give one, or leave the task disabled")
    return NO_COMMAND


def _overlap(task: Task, more: Mapping[str, Any]) -> dict[str, Any]:
    """`concurrency` is how many; the policy is another matter."""
    given = {} if more.get("overlap") is None else more["overlap"]
    if not isinstance(given, dict):
        raise Invalid(f"{MORE}.overlap is {kind_of(given)}, not an object")
    number = task.get("concurrency") or None
    counted = {} if number is None else {"limit": number}
    return {"policy": "allow", "across_nodes": number is not None, **given, **counted}


def _mail_to(task: Task) -> Any:
    value = task.get("mailto")
    if isinstance(value, str):
        value = _SEPARATORS.split(value)
    return [part for part in value if not _is_blank(part)] if isinstance(value, list) else value


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _mail_report(task: Task, mail_to: object) -> str:
    report = task.get("mailreport")
    return report if mail_to and isinstance(report, str) and report in list(MailReport) else MailReport.NEVER.value
