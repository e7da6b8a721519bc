"""What Moneta's audit log says of runs and changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from coal_mine.domain.audit import AuditEntry, AuditKind
from coal_mine.domain.definition import definition_as_text, definition_from
from coal_mine.domain.job import Definition
from coal_mine.domain.output import Line, Stream
from coal_mine.domain.run import End, Run, killed, lost, missed, skipped
from coal_mine.services.reports import status_of
from coal_mine.web.dialects.moneta.documents import Document, change_document, execution_document, report_document
from tests.support.edges import NOW
from tests.support.jobs import SECOND, Scene

AT = "2026-11-22T12:00:00.123000+00:00"


def ended(scene: Scene, *, job: dict[str, Any] | None = None, **result: Any) -> Run:
    """A run that took two seconds."""
    run = scene.start(scene.next_run(scene.job(**(job or {}))))
    scene.clock.move(2 * SECOND)
    return scene.end(run, **result)


def report(run: Run, *lines: Line) -> Document:
    document = report_document(run, lines)
    assert document is not None
    return document


def execution(run: Run) -> Document:
    document = execution_document(run)
    assert document is not None
    return document


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ({}, "ok"),
        ({"exit_code": 1}, "error"),
        ({"end": End.SIGNALLED, "exit_code": None, "signal": 11}, "error"),
        ({"end": End.TIMED_OUT, "exit_code": None, "signal": 15}, "fail"),
        ({"end": End.NOT_STARTED, "exit_code": None}, "fail"),
        ({"end": End.KILLED, "exit_code": None}, "fail"),
    ],
)
def test_the_status_tells_whether_the_command_ended_by_itself_and_well(scene: Scene, result: dict[str, Any], status: str) -> None:
    assert status_of(ended(scene, **result)) == status


def test_a_run_under_way_has_the_status_running(scene: Scene) -> None:
    assert status_of(scene.start(scene.next_run(scene.job()))) == "running"


def test_a_report_has_all_that_moneta_says_of_a_good_run(scene: Scene) -> None:
    job = {"name": "Nightly", "tags": ["db", "shop"], "command": "pg_dump"}
    run = ended(scene, job=job, max_memory=4096, cpu_user=0.5, cpu_system=0.25, stdout_bytes=3, stderr_bytes=2)
    start, end = (moment.isoformat(timespec="microseconds") for moment in (run.tick, run.tick + 2 * SECOND))

    assert report(run) == {
        "event_type": "moneta-task-report", "task": run.job_id, "@timestamp": end, "@level": "success", "node": "alpha", "status": "ok",
        "start_time": start, "end_time": end, "duration": 2.0, "finished": True, "last_update": end, "returncode": 0, "maxrss": 4096,
        "cputime_user": 0.5, "cputime_system": 0.25, "output": {"buffer": [], "bytes": {"stdout": 3, "stderr": 2}},
        "task_name": "Nightly", "task_tags": ["db", "shop"], "task_command": "pg_dump", "run": run.id,
    }  # fmt: skip


def test_a_report_of_a_failure_has_the_level_alert_and_the_return_code(scene: Scene) -> None:
    document = report(ended(scene, exit_code=3))

    assert (document["@level"], document["status"], document["returncode"]) == ("alert", "error", 3)
    assert "error" not in document


def test_death_by_a_signal_is_a_return_code_below_zero(scene: Scene) -> None:
    assert report(ended(scene, end=End.SIGNALLED, exit_code=None, signal=11))["returncode"] == -11


def test_a_report_of_what_could_not_be_started_says_why_and_has_no_return_code(scene: Scene) -> None:
    document = report(ended(scene, end=End.NOT_STARTED, exit_code=None, error="no such user"))

    assert (document["status"], document["error"]) == ("fail", "no such user")
    assert "returncode" not in document


def test_a_report_of_a_run_that_was_lost_says_that_it_failed(scene: Scene) -> None:
    run = scene.write(lost(scene.start(scene.next_run(scene.job())), "its node was restarted", scene.now))
    document = report(run)

    assert (document["status"], document["error"]) == ("fail", "its node was restarted")
    assert document["output"] == {"buffer": [], "bytes": {"stdout": 0, "stderr": 0}}


def test_of_a_run_that_was_lost_the_output_that_is_left_counts(scene: Scene) -> None:
    run = scene.write(lost(scene.start(scene.next_run(scene.job())), "its node was restarted", scene.now))
    lines = [Line(Stream.STDOUT, 0, b"one"), Line(Stream.STDERR, 1, b"oh"), Line(Stream.STDOUT, 2, b"")]

    assert report(run, *lines)["output"]["bytes"] == {"stdout": 5, "stderr": 3}


def test_a_task_without_tags_is_reported_without_them(scene: Scene) -> None:
    assert "task_tags" not in report(ended(scene))


def test_what_was_run_in_the_place_of_the_command_is_reported(scene: Scene) -> None:
    assert report(replace(ended(scene), command=("ls", "-l")))["task_command"] == "ls -l"


def test_lines_have_time_channel_and_text(scene: Scene) -> None:
    run = ended(scene)
    told = report(run, Line(Stream.STDOUT, 0, b"one \r"), Line(Stream.STDERR, 1500, "z\u00e9ro".encode()))["output"]["buffer"]
    times = [(run.tick + timedelta(milliseconds=millis)).isoformat(timespec="microseconds") for millis in (0, 1500)]

    assert told == [
        {"time": times[0], "channel": "stdout", "text": "one"},
        {"time": times[1], "channel": "stderr", "text": "z\u00e9ro"},
    ]


def test_what_is_no_utf_8_is_read_as_latin_1(scene: Scene) -> None:
    assert report(ended(scene), Line(Stream.STDOUT, 0, b"z\xe9ro"))["output"]["buffer"][0]["text"] == "z\u00e9ro"


def test_a_long_line_is_several(scene: Scene) -> None:
    texts = [entry["text"] for entry in report(ended(scene), Line(Stream.STDOUT, 0, b"x" * 25_000))["output"]["buffer"]]

    assert [len(text) for text in texts] == [10_000, 10_000, 5_000]


def test_an_empty_line_is_one(scene: Scene) -> None:
    assert [entry["text"] for entry in report(ended(scene), Line(Stream.STDOUT, 0, b""))["output"]["buffer"]] == [""]


def test_only_the_last_thousand_lines_are_told(scene: Scene) -> None:
    lines = [Line(Stream.STDOUT, 0, str(number).encode()) for number in range(1_500)]
    texts = [entry["text"] for entry in report(ended(scene), *lines)["output"]["buffer"]]

    assert (len(texts), texts[0], texts[-1]) == (1_000, "500", "1499")


def test_a_run_that_a_node_has_taken_is_an_execution_at_its_tick(scene: Scene) -> None:
    run = scene.next_run(scene.job())
    scene.clock.move(SECOND)
    run = scene.start(run)

    assert execution(run) == {
        "event_type": "moneta-task-execution", "task": run.job_id, "@timestamp": run.tick.isoformat(timespec="microseconds"),
        "@level": "success", "node": "alpha", "success": True, "message": "", "run": run.id,
    }  # fmt: skip


def test_a_run_that_no_node_took_is_an_execution_without_success(scene: Scene) -> None:
    document = execution(scene.write(missed(scene.next_run(scene.job()), "no node was alive", scene.now)))

    assert (document["@level"], document["success"], document["node"]) == ("alert", False, "")
    assert document["message"] == "no node was alive"


@pytest.mark.parametrize("over", [missed, skipped, killed])
def test_a_run_that_no_node_took_has_no_report(scene: Scene, over: Any) -> None:
    assert report_document(scene.write(over(scene.next_run(scene.job()), "why", scene.now)), []) is None


def test_of_a_run_that_waits_nothing_is_told_yet(scene: Scene) -> None:
    run = scene.next_run(scene.job())

    assert (execution_document(run), report_document(run, [])) == (None, None)


def test_of_a_run_under_way_there_is_no_report_yet(scene: Scene) -> None:
    assert report_document(scene.start(scene.next_run(scene.job())), []) is None


def entry(kind: AuditKind) -> AuditEntry:
    old = "" if kind is AuditKind.CREATED else written("old")
    return AuditEntry(id="a|1", at=NOW, kind=kind, subject="a", by="jo", old=old, new="" if kind is AuditKind.DELETED else written("new"))


def written(name: str) -> str:
    return definition_as_text(definition_from({"name": name, "command": "true"}, job_id="a", now=NOW))


def as_task(_job_id: str, definition: Definition) -> dict[str, Any]:
    return {"name": definition.name}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (AuditKind.CREATED, {"event_type": "moneta-task-created", "config": {"name": "new"}}),
        (AuditKind.CHANGED, {"event_type": "moneta-task-updated", "config": {"name": "new"}, "oldconfig": {"name": "old"}}),
        (AuditKind.DELETED, {"event_type": "moneta-task-deleted", "config": {"name": "old"}}),
    ],
)
def test_a_change_is_told_with_who_made_it_and_the_tasks_before_and_after(kind: AuditKind, expected: dict[str, Any]) -> None:
    document = change_document(as_task, entry(kind))

    assert document == {"task": "a", "@timestamp": AT, "@level": "info", "user": "jo", **expected}


def test_a_change_of_an_option_is_about_no_task() -> None:
    assert change_document(as_task, entry(AuditKind.OPTION)) is None


def test_times_are_told_in_utc(scene: Scene) -> None:
    assert execution(scene.start(scene.next_run(scene.job())))["@timestamp"].endswith(".000000+00:00")
