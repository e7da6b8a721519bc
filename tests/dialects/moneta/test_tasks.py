"""Calls of tasks as Moneta documents them, and as its web client makes them, on both stores."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.dialects.moneta.client import Moneta
from tests.support.moneta_tasks import DOCUMENTED, EMPTY_FORM


@pytest.fixture
def task_id(either: Moneta) -> str:
    return either.created(**DOCUMENTED)


@pytest.fixture
def unused() -> str:
    return uuid.uuid4().hex


def test_the_documented_task_is_created(either: Moneta) -> None:
    answer = either.call("POST", "/tasks", DOCUMENTED)

    assert (answer.status_code, set(answer.json()), answer.json()["created"]) == (201, {"id", "created"}, True)
    assert uuid.UUID(hex=answer.json()["id"]).hex == answer.json()["id"]  # 32 hexadecimal digits


def test_the_documented_task_comes_back_as_it_was_sent(either: Moneta, task_id: str) -> None:
    answer = either.call("GET", f"/tasks/{task_id}")

    assert (answer.status_code, answer.json()) == (200, DOCUMENTED)


def test_the_documented_task_is_what_it_says(either: Moneta, task_id: str) -> None:
    job = either.native("GET", f"/jobs/{task_id}")

    assert {name: job[name] for name in ("mode", "pools", "command", "workdir", "user", "env", "mail_report", "mail_to", "schedules")} == {
        "mode": "all",
        "pools": ["web"],
        "command": "/bin/true",
        "workdir": "/tmp/",
        "user": "www-data",
        "env": {"GNT_CONF": "/etc/geneanet/geneaconfig/"},
        "mail_report": "output",
        "mail_to": ["cron.doc@geneanet.org"],
        "schedules": [{"fields": {"minute": ["*/1"]}, "timezone": "Europe/Paris"}],
    }


def test_all_tasks_are_listed_by_their_ids(either: Moneta, task_id: str) -> None:
    assert either.get("/tasks")[task_id] == DOCUMENTED


def test_a_task_is_replaced_as_a_whole(either: Moneta, task_id: str) -> None:
    answer = either.call("PUT", f"/tasks/{task_id}", {"name": "Other", "command": "false"})

    assert (answer.status_code, answer.json()) == (200, {"id": task_id, "updated": True})
    assert either.get(f"/tasks/{task_id}") == {"name": "Other", "command": "false", "tags": [], "pools": ["default"]}


def test_to_put_an_unknown_task_creates_it(either: Moneta, unused: str) -> None:
    answer = either.call("PUT", f"/tasks/{unused}", DOCUMENTED)

    assert (answer.status_code, answer.json()) == (201, {"id": unused, "created": True})
    assert either.get(f"/tasks/{unused}") == DOCUMENTED


def test_a_deleted_task_can_be_put_back_under_its_id(either: Moneta, task_id: str) -> None:
    either.call("DELETE", f"/tasks/{task_id}")

    assert either.call("PUT", f"/tasks/{task_id}", DOCUMENTED).status_code == 201


def test_a_task_is_deleted(either: Moneta, task_id: str) -> None:
    answer = either.call("DELETE", f"/tasks/{task_id}")

    assert (answer.status_code, answer.json()) == (200, {"id": task_id, "deleted": True})
    assert task_id not in either.get("/tasks")


@pytest.mark.parametrize(("verb", "enabled"), [("enable", True), ("disable", False)])
def test_a_task_is_switched_without_a_body_and_a_type(either: Moneta, verb: str, enabled: bool) -> None:
    task_id = either.created(enabled=not enabled)
    answer = either.call("POST", f"/tasks/{task_id}/{verb}")

    assert (answer.status_code, answer.json()) == (200, {"id": task_id, "updated": True})
    assert either.get(f"/tasks/{task_id}")["enabled"] is enabled


def test_to_switch_a_task_changes_nothing_else_of_what_was_sent(either: Moneta) -> None:
    task = {"name": "Odd", "command": "true", "mode": "odd", "unknown": [1], "schedules": [{"minute": [["5"]]}], "tags": [], "pools": ["p"]}
    task_id = either.created(**task)
    either.call("POST", f"/tasks/{task_id}/enable")

    assert either.get(f"/tasks/{task_id}") == task | {"enabled": True}


@pytest.mark.parametrize(
    ("method", "below"), [("GET", ""), ("DELETE", ""), ("POST", "/enable"), ("POST", "/disable")], ids=lambda part: part.strip("/") or "-"
)
def test_an_unknown_task_is_answered_with_an_empty_404(either: Moneta, unused: str, method: str, below: str) -> None:
    answer = either.call(method, f"/tasks/{unused}{below}")

    assert (answer.status_code, answer.content) == (404, b"")


def test_tasks_can_be_asked_for_by_tag(either: Moneta) -> None:
    tag = uuid.uuid4().hex
    task_id = either.created(tags=["other", tag])
    either.created(tags=["other"])

    assert list(either.get("/tasks", tag=tag)) == [task_id]


def test_all_tags_of_tasks_are_listed_once(either: Moneta) -> None:
    tags = sorted(uuid.uuid4().hex for _ in range(2))
    either.created(tags=tags)
    either.created(tags=tags[:1])

    assert [tag for tag in either.get("/tags") if tag in tags] == tags


def test_the_empty_form_of_the_web_client_is_stored(either: Moneta) -> None:
    task_id = either.created(**EMPTY_FORM, command=None)

    assert either.get(f"/tasks/{task_id}") == EMPTY_FORM | {"command": None}


def test_a_task_without_a_command_cannot_be_enabled(either: Moneta) -> None:
    task_id = either.created(**EMPTY_FORM, command="")

    assert either.error("POST", f"/tasks/{task_id}/enable") == (400, "the task has no command: give it one first")


def test_the_web_client_saves_a_task_as_it_has_fetched_it(either: Moneta, task_id: str) -> None:
    before = either.native("GET", f"/jobs/{task_id}")
    answer = either.call("PUT", f"/tasks/{task_id}", either.get(f"/tasks/{task_id}") | {"concurrency": 0})

    assert answer.status_code == 200
    assert either.native("GET", f"/jobs/{task_id}")["overlap"] == before["overlap"]


def test_a_job_of_the_native_api_is_a_task_too(either: Moneta, unused: str) -> None:
    either.native("POST", "/jobs", {"id": unused, "name": "Native", "command": "date", "schedules": [{"cron": "0 3 * * *"}]})
    task = either.get(f"/tasks/{unused}")

    assert (task["name"], task["command"], task["schedules"]) == ("Native", "date", [])
    assert task["coal_mine"]["schedules"] == [{"cron": "0 3 * * *", "timezone": "UTC"}]


def test_a_job_that_the_web_client_saves_stays_what_it_is(either: Moneta, unused: str) -> None:
    definition = {"name": "Native", "command": ["date"], "retries": 3, "timeout": 60, "schedules": [{"cron": "0 3 * * *"}]}
    before = either.native("POST", "/jobs", {"id": unused, **definition})
    either.call("PUT", f"/tasks/{unused}", either.get(f"/tasks/{unused}") | {"concurrency": 0})
    after = either.native("GET", f"/jobs/{unused}")

    changing = ("given", "version", "changed_at")
    assert {name: after[name] for name in after if name not in changing} == {name: before[name] for name in before if name not in changing}


@pytest.mark.parametrize("namespace", ["shop", "shop/db"])
def test_a_job_of_a_namespace_is_no_task(either: Moneta, unused: str, namespace: str) -> None:
    job = either.native("POST", "/jobs", {"id": unused, "namespace": namespace, "name": "Native", "command": "true"})

    assert job["id"] not in either.get("/tasks")


def test_a_job_that_no_path_of_moneta_can_name_is_no_task(either: Moneta) -> None:
    job = either.native("POST", "/jobs", {"id": f"Backup-{uuid.uuid4().hex[:8]}", "name": "Native", "command": "true"})

    assert job["id"] not in either.get("/tasks")


def test_what_the_native_api_changes_is_shown_and_the_rest_stays(either: Moneta) -> None:
    task_id = either.created(unknown=7, mode="odd")
    either.native("PATCH", f"/jobs/{task_id}", {"command": "false", "timeout": 5})

    assert either.get(f"/tasks/{task_id}") == {
        "name": "A task",
        "command": "false",
        "unknown": 7,
        "mode": "odd",
        "tags": [],
        "pools": ["default"],
        "coal_mine": {"timeout": 5},
    }


def test_what_clients_of_other_systems_have_written_of_it_stays(either: Moneta, unused: str) -> None:
    either.native("POST", "/jobs", {"id": unused, "name": "Native", "command": "true", "given": {"other": {"a": 1}}})
    either.call("PUT", f"/tasks/{unused}", {"name": "Task", "command": "true"})

    assert either.native("GET", f"/jobs/{unused}")["given"] == {"other": {"a": 1}, "moneta": {"name": "Task", "command": "true"}}


def test_an_id_that_paths_begin_with_is_refused(either: Moneta) -> None:
    assert either.error("PUT", "/tasks/status", {"command": "true"}) == (400, "id 'status' is reserved: paths begin with it")


def test_an_id_has_at_most_64_letters(either: Moneta) -> None:
    assert either.call("PUT", f"/tasks/{'a' * 65}", {"command": "true"}).status_code == 400


def test_a_refused_task_is_not_stored(either: Moneta, unused: str) -> None:
    assert either.error("PUT", f"/tasks/{unused}", {"command": "true", "schedules": [{"hour": "22-6"}]}) == (
        400,
        "schedules[0].hour '22-6': the range is reversed; write '22-23,0-6'",
    )
    assert either.call("GET", f"/tasks/{unused}").status_code == 404


def test_a_refused_change_changes_nothing(either: Moneta, task_id: str) -> None:
    either.call("PUT", f"/tasks/{task_id}", DOCUMENTED | {"pools": []})

    assert either.get(f"/tasks/{task_id}") == DOCUMENTED


@pytest.mark.parametrize("exists", [True, False])
def test_a_dry_run_says_what_would_be_done_and_does_nothing(either: Moneta, task_id: str, unused: str, exists: bool) -> None:
    one = task_id if exists else unused
    answer = either.call("PUT", f"/tasks/{one}", {"command": "false"}, dry_run="")

    assert answer.status_code == 200
    assert answer.json() == {
        "id": one,
        "updated" if exists else "created": True,
        "dry_run": True,
        "warnings": ["no node serves the pool default: no run can start until one does"],
    }
    assert either.get("/tasks").get(one) == (DOCUMENTED if exists else None)


def test_a_dry_run_refuses_what_would_be_refused(either: Moneta, task_id: str) -> None:
    assert either.call("PUT", f"/tasks/{task_id}", {"command": "true", "mailto": 7}, dry_run="").status_code == 400


def test_a_task_of_the_documented_size_is_stored(either: Moneta, unused: str) -> None:
    task = {"command": "true", "note": "x" * 65_000, "tags": [], "pools": ["p"]}
    either.call("PUT", f"/tasks/{unused}", task)

    assert either.get(f"/tasks/{unused}") == task


def test_a_larger_task_is_refused(either: Moneta, unused: str) -> None:
    status, text = either.error("PUT", f"/tasks/{unused}", {"command": "true", "note": "x" * 65_536})

    assert (status, text.partition(" has ")[0]) == (400, "the task")


def test_of_several_who_put_an_unknown_task_one_creates_it(either: Moneta, unused: str) -> None:
    with ThreadPoolExecutor(8) as together:
        answers = list(together.map(lambda number: either.call("PUT", f"/tasks/{unused}", {"command": f"echo {number}"}), range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]


def test_changes_of_several_tasks_at_once_all_count(either: Moneta) -> None:
    tasks = {uuid.uuid4().hex: {"command": f"echo {number}", "tags": [], "pools": ["p"]} for number in range(16)}
    with ThreadPoolExecutor(8) as together:
        list(together.map(lambda item: either.call("PUT", f"/tasks/{item[0]}", item[1]), tasks.items()))

    assert {task_id: task for task_id, task in either.get("/tasks").items() if task_id in tasks} == tasks


def jobs_of(one: Moneta) -> set[Any]:
    return {job["id"] for job in one.native("GET", "/jobs?limit=1000")["jobs"]}


def test_to_delete_all_tasks_leaves_the_jobs_that_are_none(either: Moneta, task_id: str, unused: str) -> None:
    kept = either.native("POST", "/jobs", {"id": unused, "namespace": "shop", "name": "Native", "command": "true"})["id"]
    answer = either.call("DELETE", "/tasks")

    assert (answer.status_code, answer.json(), either.get("/tasks")) == (200, {"deleted": True}, {})
    assert kept in jobs_of(either)
    assert task_id not in jobs_of(either)


def test_a_task_for_whose_canary_there_is_no_name_is_refused(either: Moneta) -> None:
    """As after a crash that has left canaries behind."""
    for name in ("Hang 2", "Hang 2 (hangtask2)"):
        either.native("GET", f"/canary/create?{urlencode({'name': name, 'periodicity': 3600})}")
    status, text = either.error("PUT", "/tasks/hangtask2", {"name": "Hang 2", "command": "true"})

    assert (status, "hangtask2" in text) == (409, True)


@pytest.mark.parametrize(("first", "second"), [(1, True), (False, 0), (1, 1.0), ({"a": [0]}, {"a": [False]})])
def test_a_member_that_only_changes_its_type_is_changed(either: Moneta, first: Any, second: Any) -> None:
    task: dict[str, Any] = {"name": "A task", "command": "true", "tags": [], "pools": ["here"]}
    task_id = either.created(**task, x=first)
    task["x"] = second
    dry = either.call("PUT", f"/tasks/{task_id}", task, dry_run="").json()
    wet = either.call("PUT", f"/tasks/{task_id}", task).json()

    assert ("unchanged" in dry, "unchanged" in wet) == (False, False)
    assert json.dumps(either.get(f"/tasks/{task_id}")["x"]) == json.dumps(second)


def test_a_task_that_comes_again_in_another_order_and_without_empty_lists_is_unchanged(either: Moneta) -> None:
    task_id = either.created(name="A task", command="true", env={"A": "1", "B": "2"})
    task = {"env": {"B": "2", "A": "1"}, "command": "true", "name": "A task"}
    answers = [either.call("PUT", f"/tasks/{task_id}", task, **query).json() for query in ({"dry_run": ""}, {})]

    assert ["unchanged" in answer for answer in answers] == [True, True]


def test_a_task_that_comes_again_without_its_tags_has_none_any_more(either: Moneta) -> None:
    task_id = either.created(name="A task", command="true", tags=["a"])
    either.call("PUT", f"/tasks/{task_id}", {"name": "A task", "command": "true"})

    assert either.get(f"/tasks/{task_id}")["tags"] == []
