"""Tasks of Moneta as definitions of jobs, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coal_mine.domain.definition import definition_as_json, definition_from
from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import Definition, Mode, Overlap, OverlapPolicy
from coal_mine.web.dialects.moneta.shown import TaskView, is_task
from coal_mine.web.dialects.moneta.written import NO_COMMAND, definition_of, native_of
from tests.dialects.moneta.schedules import in_lists
from tests.support.edges import NOW
from tests.support.moneta_tasks import EMPTY_FORM

PARIS = "Europe/Paris"
ID = "508b4b72e44611e49e76c81f66cd0cca"


def read(**task: Any) -> Definition:
    return definition_of({"name": "A task", "command": "true"} | task, ID, PARIS)


def native(**definition: Any) -> Definition:
    return definition_from({"name": "Native", "command": "true"} | definition, job_id=ID, now=NOW)


def shown(definition: Definition, zone: str = PARIS) -> dict[str, Any]:
    return TaskView(zone).task(ID, definition)


def refusal(**task: Any) -> str:
    with pytest.raises(Invalid) as found:
        read(**task)
    return str(found.value)


def ticks(definition: Definition) -> list[dict[str, Any]]:
    return definition_as_json(definition)["schedules"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(("mode", "meant"), [("any", Mode.ANY), ("all", Mode.ALL), (None, Mode.ALL), ("ANY", Mode.ALL), (7, Mode.ALL)])
def test_every_mode_but_any_means_all(mode: Any, meant: Mode) -> None:
    assert read(mode=mode).mode is meant


def test_a_task_without_a_mode_runs_on_all_nodes() -> None:
    assert read().mode is Mode.ALL


@pytest.mark.parametrize(("enabled", "meant"), [(True, True), (False, False), (None, False)])
def test_only_what_says_so_is_enabled(enabled: Any, meant: bool) -> None:
    assert read(enabled=enabled).enabled is meant


def test_a_task_is_disabled_unless_it_says_otherwise() -> None:
    assert not read().enabled


def test_without_pools_it_is_the_default_pool() -> None:
    assert read().pools == ("default",)


def test_no_pools_at_all_are_refused() -> None:
    assert refusal(pools=[]) == "pools is empty: no node would ever run the job"


@pytest.mark.parametrize(
    "schedules", [[None], [{}], [{"minute": ""}], [{"minute": []}], [{"minute": [""], "hour": None}], [{"hour": ["*"]}]]
)
def test_an_empty_schedule_is_every_minute(schedules: list[Any]) -> None:
    (found,) = read(schedules=schedules).schedules
    first = found.tick_after(NOW)

    assert first is not None
    assert (first.isoformat(), (found.tick_after(first) or NOW).isoformat()) == ("2026-11-22T12:01:00+00:00", "2026-11-22T12:02:00+00:00")


@pytest.mark.parametrize("schedules", [None, []])
def test_without_schedules_there_are_no_ticks(schedules: Any) -> None:
    assert read(schedules=schedules).schedules == ()


def test_schedules_hold_in_the_zone_of_the_server() -> None:
    (found,) = read(schedules=[{"hour": "8", "minute": "0"}]).schedules

    assert (found.tick_after(NOW) or NOW).isoformat() == "2026-11-23T07:00:00+00:00"


def test_steps_count_from_zero() -> None:
    (found,) = read(schedules=[{"hour": "0", "minute": "0", "dayofmonth": ["*/2"]}]).schedules

    assert (found.tick_after(NOW) or NOW).isoformat() == "2026-11-23T23:00:00+00:00"  # midnight in Paris, of the 24th


@pytest.mark.parametrize(
    ("schedule", "fault"),
    [
        ({"hour": "22-6"}, "schedules[0].hour '22-6': the range is reversed; write '22-23,0-6'"),
        ({"minute": ["*/0"]}, "schedules[0].minute '*/0': a step of 0 leads nowhere; write '*' for every value"),
        ({"dayofweek": 0}, "schedules[0].dayofweek '0': the values go from 1 to 7, Monday to Sunday"),
        ({"minute": "60"}, "schedules[0].minute '60': the values go from 0 to 59"),
        (
            {"hours": "7"},
            "schedules[0] has an unknown field 'hours'; write 'hour'",
        ),
        ({"minute": "@daily"}, "schedules[0].minute '@daily': is neither a number, nor a range such as 8-17, nor * or */15"),
        ("* * * * *", 'schedules[0] \'* * * * *\': must be an object such as {"minute": ["*/5"], "hour": "8-17"}'),
    ],
)
def test_what_would_never_run_or_always_is_refused(schedule: Any, fault: str) -> None:
    assert refusal(schedules=[schedule]) == fault


def test_schedules_that_are_no_list_are_refused() -> None:
    assert refusal(schedules={"minute": "5"}) == "schedules is an object, not a list"


@pytest.mark.parametrize("name", [None, "", " ", "***", "a\x00b", "n" * 256, 7])
def test_a_name_that_no_canary_could_have_is_kept_and_the_id_stands_for_it(name: Any) -> None:
    definition = read(name=name)

    assert (definition.name, shown(definition)["name"]) == (ID, name)


def test_a_task_without_a_name_is_shown_without_one() -> None:
    assert "name" not in shown(definition_of({"command": "true"}, ID, PARIS))


@pytest.mark.parametrize("command", [None, "", "  "])
def test_an_enabled_task_without_a_command_is_refused(command: Any) -> None:
    assert refusal(command=command, enabled=True) == "command is missing: give one, or leave the task disabled"


def test_a_disabled_task_without_a_command_says_so_when_it_is_run() -> None:
    assert definition_of(EMPTY_FORM, ID, PARIS).command == NO_COMMAND


def test_a_task_without_a_command_is_shown_without_one() -> None:
    assert shown(replace(definition_of(EMPTY_FORM, ID, PARIS), given=())).get("command") is None


def test_a_command_is_a_text() -> None:
    assert refusal(command=["ls", "-l"]) == "command is a list, not a text for the shell"


@pytest.mark.parametrize("concurrency", [None, 0])
def test_without_concurrency_runs_overlap_freely(concurrency: Any) -> None:
    assert read(concurrency=concurrency).overlap == Overlap(policy=OverlapPolicy.ALLOW)


def test_concurrency_limits_runs_on_all_nodes_together() -> None:
    assert read(concurrency=2).overlap == Overlap(policy=OverlapPolicy.ALLOW, limit=2, across_nodes=True)


@pytest.mark.parametrize(
    ("concurrency", "fault"),
    [
        (-1, "concurrency is -1; it must lie between 1 and 10000, or be 0 for no limit"),
        ("2", "concurrency is a text, not a number"),
        (1.5, "concurrency is 1.5, not a whole number"),
    ],
)
def test_concurrency_is_a_number(concurrency: Any, fault: str) -> None:
    assert refusal(concurrency=concurrency) == fault


@pytest.mark.parametrize(("mailto", "meant"), [("a@example.test", ("a@example.test",)), (["a@example.test", ""], ("a@example.test",))])
def test_reports_go_to_a_text_or_a_list(mailto: Any, meant: tuple[str, ...]) -> None:
    definition = read(mailreport="output", mailto=mailto)

    assert (definition.mail_report.value, definition.mail_to) == ("output", meant)


def test_a_text_may_hold_several_addresses() -> None:
    assert read(mailreport="error", mailto="a@example.test, b@example.test").mail_to == ("a@example.test", "b@example.test")


def test_what_is_no_address_is_refused_in_the_words_of_the_task() -> None:
    assert refusal(mailto=["not an address"]) == "mailto: email 'not an address' is not an address such as jo@example.com"


@pytest.mark.parametrize("mailto", [None, [], "", [""]])
def test_nothing_is_reported_to_nobody(mailto: Any) -> None:
    assert read(mailreport="always", mailto=mailto).mail_report.value == "never"


@pytest.mark.parametrize("report", [None, "", "sometimes", 7])
def test_an_unknown_kind_of_report_is_none(report: Any) -> None:
    assert read(mailreport=report, mailto=["a@example.test"]).mail_report.value == "never"


def test_what_is_wrong_is_named_by_the_words_of_the_task() -> None:
    assert refusal(mailreport="error", mailto=[7]) == "mailto[0] is a number, not a text"


def test_no_tick_is_ever_too_old_to_be_made_up_for() -> None:
    assert read().catch_up.within_seconds > 36_500 * 86_400


def test_a_failed_run_is_not_repeated() -> None:
    assert read().retries.most == 0


@pytest.mark.parametrize("task", [None, [], "task", 7, True])
def test_a_task_is_an_object(task: Any) -> None:
    with pytest.raises(Invalid, match=r"^the task is .*, not an object$"):
        native_of(task, ID, PARIS)


def test_a_task_comes_back_as_it_was_written() -> None:
    task = {
        "name": "My task", "command": "true", "mode": "some", "unknown": {"a": [1, {"b": None}]},
        "schedules": [None, {}, {"minute": ["*/5", ["7", [8]]], "hour": "", "week": None}], "mailto": "a@example.test",
        "description": "2024-01-01T00:00:00 migration", "timeout": "whatever", "pools": ["b", "a", "b"], "tags": ["y", "x"],
    }  # fmt: skip

    assert shown(definition_of(task, ID, PARIS)) == task


def test_a_task_that_names_neither_tags_nor_pools_is_shown_with_them() -> None:
    task = shown(definition_of({"command": "true"}, ID, PARIS))

    assert (task["tags"], task["pools"]) == ([], ["default"])


def test_a_job_that_moneta_never_saw_has_all_the_words_that_its_client_reads() -> None:
    task = shown(native(description="d", tags=["t"], env={"A": "b"}, mail_report="error", mail_to=["a@example.test"], enabled=False))

    assert {word: value for word, value in task.items() if word != "coal_mine"} == {
        "name": "Native", "description": "d", "tags": ["t"], "enabled": False, "mode": "any", "pools": ["default"], "schedules": [],
        "command": "true", "env": {"A": "b"}, "mailreport": "error", "mailto": ["a@example.test"], "concurrency": 0,
    }  # fmt: skip


def test_what_has_changed_since_is_written_over_the_task() -> None:
    task = {"name": "My task", "command": "true", "schedules": [{"minute": ["5"]}], "unknown": 7, "mode": "odd"}
    changed = replace(definition_of(task, ID, PARIS), enabled=True, command="false")

    assert shown(changed) == task | {"enabled": True, "command": "false", "tags": [], "pools": ["default"]}


MORE = [
    {"schedules": [{"cron": "0 3 * * *", "timezone": "UTC"}]},
    {"schedules": [{"fields": {"minute": "5"}, "timezone": "Asia/Tokyo"}, {"every": 60}]},
    {"schedules": [{"fields": None, "timezone": PARIS}, {"fields": {"hour": 1}, "timezone": "UTC"}]},
    {"schedules": [{"at": "2030-01-01T00:00:00"}, {"rrule": "FREQ=DAILY;COUNT=3"}]},
    {"command": ["ls", "-l"]},
    {"command": ["x"], "script": "#!/bin/sh\necho"},
    {"command": "", "script": "#!/bin/sh\necho"},
    {"command": "", "runner": "dummy"},
    {"command": "hello", "runner": "dummy", "runner_name": "greeter"},
    {"command": "", "runner": "instance", "runner_name": "cloud", "details": {"instance_id": "i-1", "instance_action": "start"}},
    {"overlap": "queue"},
    {"overlap": {"policy": "skip", "limit": 3}},
    {"overlap": {"policy": "allow", "limit": 3, "across_nodes": False}},
    {"retries": 3, "timeout": 5, "kill_wait": 1, "grace": 60, "start_deadline": 30, "on_lost": "rerun", "priority": 7},
    {"catch_up": "all"},
    {"labels": {"a": "b"}, "emails": ["a@example.test"], "failure_alerts": "every", "cpus": 1, "mem": 2, "disk": 3},
    {"parameters": [{"name": "P", "default": "x"}], "secrets": {"S": "vault:s"}},
    {"user": "root", "group": "root", "workdir": "/tmp", "mode": "all"},
]


@pytest.mark.parametrize("fields", MORE)
@pytest.mark.parametrize("zone", [PARIS, "UTC"])
def test_a_task_that_is_sent_back_as_it_was_shown_changes_nothing(fields: dict[str, Any], zone: str) -> None:
    before = definition_as_json(native(**fields))
    after = definition_as_json(definition_of(shown(native(**fields), zone) | {"concurrency": before["overlap"]["limit"] or 0}, ID, zone))

    assert sorted(str(in_lists(one)) for one in after.pop("schedules")) == sorted(str(in_lists(one)) for one in before.pop("schedules"))
    assert after == before | {"given": after["given"]}


def test_what_was_sent_back_is_shown_as_it_was_sent() -> None:
    task = shown(native(timeout=5, schedules=[{"cron": "0 3 * * *"}])) | {"unknown": 7}

    assert shown(definition_of(task, ID, PARIS)) == task


def test_a_schedule_that_is_added_stands_beside_those_that_moneta_cannot_say() -> None:
    task = shown(native(schedules=[{"cron": "0 3 * * *", "timezone": "UTC"}]))
    task["schedules"].append({"minute": ["5"]})

    assert ticks(definition_of(task, ID, PARIS)) == [
        {"fields": {"minute": ["5"]}, "timezone": PARIS},
        {"cron": "0 3 * * *", "timezone": "UTC"},
    ]


def test_a_command_that_is_given_later_takes_the_place_of_a_list() -> None:
    task = shown(native(command=["ls", "-l"])) | {"command": "date"}

    assert definition_of(task, ID, PARIS).command == "date"


def test_concurrency_changes_the_limit_and_leaves_the_policy() -> None:
    task = shown(native(overlap="queue")) | {"concurrency": 4}

    assert definition_of(task, ID, PARIS).overlap == Overlap(policy=OverlapPolicy.QUEUE, limit=4, waiting=10)


def test_the_zone_of_schedules_stays_where_the_server_has_another() -> None:
    task = shown(native(schedules=[{"fields": {"hour": 1}, "timezone": "Asia/Tokyo"}]))

    assert (task["schedules"], task["coal_mine"]["timezone"]) == ([{"hour": ["1"]}], "Asia/Tokyo")


def test_the_fields_of_a_job_that_moneta_never_saw_are_lists() -> None:
    fields = {"minute": 0, "hour": "1,2", "dayofweek": ["1", 3], "week": "", "month": None}
    task = shown(native(schedules=[{"fields": fields, "timezone": PARIS}, {"fields": None, "timezone": PARIS}]))

    assert task["schedules"] == [{"minute": ["0"], "hour": ["1,2"], "dayofweek": ["1", 3], "week": "", "month": None}, None]


def test_the_fields_of_a_task_stay_as_its_client_has_written_them() -> None:
    task = {"name": "My task", "command": "true", "schedules": [{"minute": 0, "hour": "1,2"}], "tags": [], "pools": ["default"]}

    assert shown(replace(definition_of(task, ID, PARIS), command="false")) == task | {"command": "false"}


def test_a_zone_can_be_given_with_the_task() -> None:
    assert ticks(read(schedules=[{"hour": 1}], coal_mine={"timezone": "Asia/Tokyo"})) == [{"fields": {"hour": 1}, "timezone": "Asia/Tokyo"}]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ([], "coal_mine is a list, not an object"),
        ({"timezone": "Mars/X"}, "coal_mine.timezone 'Mars/X' is not known"),
        ({"timezone": 1}, "coal_mine.timezone is a number, not a text"),
        ({"timezone": {}}, "coal_mine.timezone is an object, not a text"),
        ({"timezone": False}, "coal_mine.timezone is true or false, not a text"),
        ({"nonsense": 1}, "coal_mine has 'nonsense', which is not known; it may have timezone, "),
        ({"mail_to": []}, "coal_mine has 'mail_to', which is the task's own mailto; it may have timezone, "),
        ({"given": {}}, "coal_mine has 'given', which is not known; it may have timezone, "),
        ({"overlap": 7}, "coal_mine.overlap is a number, not an object"),
        ({"overlap": []}, "coal_mine.overlap is a list, not an object"),
        ({"overlap": False}, "coal_mine.overlap is true or false, not an object"),
        ({"catch_up": []}, "catch_up is [], which is none of none, latest, all"),
        ({"script": []}, "script is a list, not a text"),
        ({"runner": 0}, "runner is 0, which is none of "),
        ({"schedules": 7}, "coal_mine.schedules is a number, not a list"),
        ({"timeout": "long"}, "timeout is a text, not a number"),
    ],
)
def test_what_stands_beside_is_checked_as_strictly(more: Any, fault: str) -> None:
    assert refusal(coal_mine=more, schedules=[{}]).startswith(fault)


def test_a_command_beside_a_task_that_has_none_is_checked_as_strictly() -> None:
    assert refusal(coal_mine={"command": {}}, command=None) == "command is an object, not a text"


def test_a_zone_is_checked_although_no_schedule_needs_it_yet() -> None:
    assert refusal(coal_mine={"timezone": "Mars/X"}, schedules=[]).startswith("coal_mine.timezone 'Mars/X' is not known")


@pytest.mark.parametrize(
    ("job_id", "is_one"),
    [("508b4b72", True), ("a", True), ("Backup", False), ("shop:db", False), ("a-b", False), ("a.b", False), ("é", False)],
)
def test_a_task_is_what_has_a_place_in_the_paths(job_id: str, is_one: bool) -> None:
    assert is_task(job_id) is is_one
