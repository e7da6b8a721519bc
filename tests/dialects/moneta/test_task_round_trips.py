"""Whatever is in a task or a job: what is shown of it says the same."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from coal_mine.domain.definition import definition_as_json, definition_as_text, definition_from, definition_from_text
from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import Definition
from coal_mine.web.dialects.moneta.shown import TaskView
from coal_mine.web.dialects.moneta.written import MORE, SAME, definition_of
from tests.dialects.moneta.schedules import in_lists
from tests.support.edges import NOW

PARIS = "Europe/Paris"
ID = "508b4b72"
FIELDS = st.sampled_from(["minute", "hour", "dayofmonth", "dayofweek", "week", "month"])
VALUES = st.sampled_from([None, "", [], "*", "*/5", "1-7", "3", 4, ["1", "2"], [["*/2"], 3], "1,2"])
FIELD_LISTS = st.none() | st.dictionaries(FIELDS, VALUES, max_size=3)
SCHEDULES = st.sampled_from(
    [
        {"cron": "H 3 * * *"},
        {"every": 5},
        {"at": "2030-01-01T00:00:00"},
        {"rrule": "FREQ=DAILY"},
        {"fields": None},
        {"fields": {"hour": 3}, "timezone": "Asia/Tokyo"},
        {"fields": {}, "timezone": PARIS},
    ]
)
OVERLAPS = st.sampled_from(
    ["skip", "queue", "allow", "replace", {"policy": "queue", "limit": 3}, {"policy": "allow", "across_nodes": True}]
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-5, 70) | st.text(max_size=6) | st.sampled_from(["any", "error", "a@b.c", "default", "*/5"])
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=8
)
REST = {"timeout": st.integers(1, 9), "retries": st.integers(0, 3), "overlap": OVERLAPS, "schedules": st.lists(SCHEDULES, max_size=3)}
ODD_TASKS = st.fixed_dictionaries({}, optional=dict.fromkeys([*SAME, "schedules", "command", "concurrency", MORE, "other"], ANYTHING))
TASKS = st.fixed_dictionaries(
    {"command": st.just("true"), "schedules": st.lists(FIELD_LISTS, max_size=3)},
    optional={
        "enabled": st.booleans(), "mode": ANYTHING, "name": ANYTHING, "concurrency": st.none() | st.integers(0, 5), "other": ANYTHING,
        "mailto": st.sampled_from(["a@b.c", ["a@b.c", ""], "", []]), "mailreport": ANYTHING,
        MORE: st.fixed_dictionaries({}, optional={"timezone": st.sampled_from(["UTC", "Asia/Tokyo"]), **REST}),
    },
)  # fmt: skip
DEFINITIONS = st.fixed_dictionaries(
    {"name": st.just("Native")},
    optional={
        "command": st.sampled_from(["true", "", ["ls"], []]), "script": st.sampled_from(["", "echo"]),
        "runner": st.sampled_from(["command", "dummy", "instance"]), "runner_name": st.sampled_from(["", "cloud"]),
        "enabled": st.booleans(), "mode": st.sampled_from(["any", "all"]), "catch_up": st.sampled_from(["none", "latest", "all"]),
        "mail_to": st.just(["a@b.c"]), "labels": st.just({"a": "b"}), **REST,
    },
)  # fmt: skip


def said(definition: Definition) -> dict[str, Any]:
    """All but how it came to be; the schedules in any order and with lists."""
    found = definition_as_json(definition)
    found.pop("given")
    return found | {"schedules": sorted(json.dumps(in_lists(schedule)) for schedule in found["schedules"])}


def sent_back(definition: Definition) -> dict[str, Any]:
    """What a client says that sends a task as it was shown."""
    return said(definition_of(TaskView(PARIS).task(ID, definition), ID, PARIS))


def stored(definition: Definition) -> Definition:
    return definition_from_text(definition_as_text(definition), ID)


@settings(deadline=None, suppress_health_check=list(HealthCheck))  # most odd tasks are refused
@given(ODD_TASKS | TASKS)
def test_a_task_that_is_accepted_is_shown_as_it_was_written(task: dict[str, Any]) -> None:
    try:
        definition = definition_of(task, ID, PARIS)
    except Invalid:
        assume(False)
    assume('"every"' not in json.dumps(task))  # its beginning is added
    shown = TaskView(PARIS).task(ID, stored(definition))

    assert (
        shown | {word: task[word] for word in ("tags", "pools") if word in task} == {"tags": shown["tags"], "pools": shown["pools"]} | task
    )


@settings(deadline=None, suppress_health_check=list(HealthCheck))  # most odd tasks are refused
@given(DEFINITIONS, TASKS | st.just({}))
def test_a_job_that_is_sent_back_as_it_was_shown_stays_what_it_is(native: dict[str, Any], task: dict[str, Any]) -> None:
    try:
        definition = stored(definition_from({**native, "given": {"moneta": task}}, job_id=ID, now=NOW))
    except Invalid:
        assume(False)

    assert sent_back(definition) == said(definition)
