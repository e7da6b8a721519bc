"""How tasks went, and the audit log, as the web client asks for them, on both stores."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.dialects.moneta.client import Moneta
from tests.support.waiting import until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
WORDS = "echo one; echo two >&2; exit 3"
KINDS = ["moneta-task-created", "moneta-task-execution", "moneta-task-report"]


@pytest.fixture(scope="module")
def either(either: Moneta) -> Moneta:
    return either.joined()


@pytest.fixture(scope="module")
def ran(either: Moneta) -> dict[str, Any]:
    """A task that was created and has run once, and failed."""
    task = {"name": "Nightly", "tags": ["db"], "pools": ["here"], "mode": "any", "command": WORDS}
    task_id = either.created(**task)
    (run,) = either.call("EXECUTE", f"/tasks/{task_id}").json()["runs"]
    until("the end of the run", lambda: either.native("GET", f"/runs/{run}")["state"] == "failed")
    return {"id": task_id, "task": task, "run": run}


@pytest.fixture(scope="module")
def log(either: Moneta, ran: dict[str, Any]) -> Any:
    return either.get(f"/tasks/{ran['id']}/auditlog")


def test_the_summary_of_a_task_says_how_its_last_run_went(either: Moneta, ran: dict[str, Any]) -> None:
    summary = either.get(f"/tasks/{ran['id']}/executionsummary")

    assert set(summary) == {"status", "start_time", "end_time", "duration"}
    assert summary["status"] == "error"
    assert TIME.fullmatch(summary["start_time"])
    assert summary["start_time"] <= summary["end_time"]
    assert summary["duration"] >= 0


def test_the_summary_of_all_has_the_tasks_that_have_run(either: Moneta, ran: dict[str, Any]) -> None:
    idle = either.created()
    found = either.get("/executionsummary")

    assert found[ran["id"]] == either.get(f"/tasks/{ran['id']}/executionsummary")
    assert idle not in found


def test_the_summary_of_all_lacks_jobs_that_are_no_tasks(either: Moneta) -> None:
    job = either.native("POST", "/jobs", {"name": "Spaced", "namespace": "group", "command": "true", "pools": ["here"]})
    run = either.native("POST", f"/jobs/{job['id']}/run", {})
    until("the end of the run", lambda: either.native("GET", f"/runs/{run['id']}")["state"] == "done")

    assert job["id"] not in either.get("/executionsummary")


def test_the_summary_of_a_task_that_has_never_run_is_empty(either: Moneta) -> None:
    assert either.get(f"/tasks/{either.created()}/executionsummary") == {}


def test_the_log_of_a_task_has_its_creation_execution_and_report(ran: dict[str, Any], log: Any) -> None:
    assert [record["event_type"] for record in log["records"]] == KINDS[::-1]
    assert {record["task"] for record in log["records"]} == {log["task"]} == {ran["id"]}


def test_the_log_says_what_was_asked_for_and_counts(log: Any) -> None:
    assert set(log) == {"from", "until", "limit", "offset", "count", "levels", "types", "records", "task"}
    assert (log["limit"], log["offset"], log["count"]) == (100, 0, 3)
    assert log["levels"] == {"alert": 1, "info": 1, "success": 1}
    assert log["types"] == dict.fromkeys(KINDS, 1)
    assert datetime.fromisoformat(log["until"]) - datetime.fromisoformat(log["from"]) == timedelta(days=1)


def test_a_report_in_the_log_has_what_is_known_of_the_run(ran: dict[str, Any], log: Any) -> None:
    report = log["records"][0]
    lines = sorted((line["channel"], line["text"]) for line in report["output"]["buffer"])

    assert (report["status"], report["returncode"], report["node"], report["finished"]) == ("error", 3, "anode", True)
    assert (report["task_name"], report["task_tags"], report["task_command"]) == ("Nightly", ["db"], WORDS)
    assert lines == [("stderr", "two"), ("stdout", "one")]
    assert report["output"]["bytes"] == {"stdout": 4, "stderr": 4}
    assert report["maxrss"] > 0
    assert {"cputime_user", "cputime_system", "start_time", "end_time", "duration"} <= set(report)


def test_a_creation_in_the_log_has_the_task_as_it_was_sent_and_who_did_it(ran: dict[str, Any], log: Any) -> None:
    created = log["records"][-1]

    assert (created["config"], created["user"], created["@level"]) == (ran["task"], "somebody", "info")


def test_a_change_in_the_log_has_the_task_before_and_after(either: Moneta) -> None:
    before = {"name": "Before", "command": "true", "tags": [], "pools": ["here"], "own": {"kept": True}}
    task_id = either.created(**before)
    either.call("PUT", f"/tasks/{task_id}", {**before, "name": "After"})
    updated = either.get(f"/tasks/{task_id}/auditlog")["records"][0]

    assert (updated["event_type"], updated["oldconfig"]) == ("moneta-task-updated", before)
    assert updated["config"] == {**before, "name": "After"}


def test_what_was_deleted_can_be_brought_back_from_the_log(either: Moneta) -> None:
    task = {"name": "Dear", "command": "true", "tags": [], "pools": ["here"], "schedules": [{"minute": ["*/5"]}], "enabled": True}
    task_id = either.created(**task)
    either.call("DELETE", f"/tasks/{task_id}")
    deleted = either.get(f"/tasks/{task_id}/auditlog")["records"][0]
    answer = either.call("PUT", f"/tasks/{task_id}", deleted["config"])

    assert (deleted["event_type"], answer.status_code) == ("moneta-task-deleted", 201)
    assert either.get(f"/tasks/{task_id}") == task


def test_the_log_of_all_has_the_records_of_each(either: Moneta, log: Any) -> None:
    found = either.get("/auditlog")

    assert "task" not in found
    assert all(record in found["records"] for record in log["records"])


def test_the_log_is_answered_as_the_web_client_asks_for_it(either: Moneta, ran: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    times = {"from": _as_a_browser_has_it(now - timedelta(hours=1)), "until": _as_a_browser_has_it(now + timedelta(hours=1))}
    path = f"/tasks/{ran['id']}/auditlog"
    found = either.get(path, **times, limit=50, offset=0, level="success,alert", type="moneta-task-execution,moneta-task-report")

    assert [record["event_type"] for record in found["records"]] == KINDS[:0:-1]
    assert (found["count"], found["limit"]) == (2, 50)
    assert found["types"] == dict.fromkeys(KINDS, 1)


def _as_a_browser_has_it(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_pages_of_the_log_are_parts_of_it(either: Moneta, ran: dict[str, Any], log: Any) -> None:
    path = f"/tasks/{ran['id']}/auditlog"
    pages = [either.get(path, offset=offset, limit=1) for offset in range(4)]

    assert [page["records"] for page in pages] == [[record] for record in log["records"]] + [[]]


@pytest.mark.parametrize("chosen", [{"level": ""}, {"type": ""}, {"level": "nosuchlevel"}, {"type": "nosuchtype"}, {"limit": 0}], ids=str)
def test_what_chooses_nothing_finds_nothing(either: Moneta, ran: dict[str, Any], chosen: dict[str, Any]) -> None:
    found = either.get(f"/tasks/{ran['id']}/auditlog", **chosen)

    assert found["records"] == []
    assert sum(found["types"].values()) == 3


def test_without_an_offset_times_are_utc(either: Moneta) -> None:
    found = either.get("/auditlog", **{"from": "2020-01-01 10:00", "until": "1 Feb 2020"})

    assert (found["from"], found["until"]) == ("2020-01-01T10:00:00.000000+00:00", "2020-02-01T00:00:00.000000+00:00")
    assert (found["records"], found["count"], found["levels"]) == ([], 0, {})


@pytest.mark.parametrize("text", ["2020-01-01T12:00:00+02:00", "2020-01-01T12:00:00 02:00", "Wed, 1 Jan 2020 10:00:00 GMT"])
def test_times_may_have_an_offset(either: Moneta, text: str) -> None:
    found = either.call("GET", f"/auditlog?from={text}&until=2020-01-02")

    assert found.json()["from"] == "2020-01-01T10:00:00.000000+00:00"


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("from", "whenever", "from 'whenever' is not a time such as 2026-11-22T10:00:00Z"),
        ("until", "", "until '' is not a time such as 2026-11-22T10:00:00Z"),
        ("from", "2026-11-22 10:00 EST", "from '2026-11-22 10:00 EST' is not a time such as 2026-11-22T10:00:00Z"),
        ("from", "1066-10-14", "from '1066-10-14' is not in the years 1970 to 9000"),
        ("limit", "many", "limit 'many' is not a whole number from 0 to 1000"),
        ("limit", "1001", "limit '1001' is not a whole number from 0 to 1000"),
        ("offset", "-1", "offset '-1' is not a whole number from 0 to 1000000000"),
        ("offset", "10000", "offset and limit reach behind the 10000 newest records: ask for an earlier time by until"),
    ],
)
def test_what_cannot_be_read_is_named(either: Moneta, name: str, value: str, error: str) -> None:
    assert either.error("GET", "/auditlog", **{name: value}) == (400, error)


def test_the_log_of_a_task_that_never_was_is_empty(either: Moneta) -> None:
    assert either.get(f"/tasks/{uuid.uuid4().hex}/auditlog")["records"] == []
