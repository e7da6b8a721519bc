"""What Moneta's web client does with tasks, in the order in which it does it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import requests

from tests.dialects.moneta.client import Moneta
from tests.dialects.moneta.schedules import in_lists

ORIGIN = "https://tasks.example.test"
FORM = {"tags": [], "concurrency": 0, "env": {}, "schedules": [], "mailto": [], "mode": "any", "pools": ["nobodys"], "mailreport": "never"}
# It takes these members of a task for settings of the request with which it deletes the task.
ITS_OWN = {"timeout", "params", "headers", "data", "cache", "transformRequest", "withCredentials"}


def asked_first(moneta: Moneta, method: str, path: str) -> list[str]:
    """The methods that a browser hears of before it sends such a request from another site."""
    answer = requests.options(
        moneta.server.url + path,
        headers={"Origin": ORIGIN, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "content-type"},
    )
    assert answer.status_code == 200
    return answer.headers["Access-Control-Allow-Methods"].split(", ")


@pytest.fixture
def task_id(moneta: Moneta) -> str:
    return moneta.created(**FORM)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/tasks"), ("PUT", "/tasks/a"), ("DELETE", "/tasks/a"), ("EXECUTE", "/tasks/a?force=1")]
)
def test_a_browser_hears_that_the_method_is_known(moneta: Moneta, method: str, path: str) -> None:
    assert method in asked_first(moneta, method, path)


def test_a_new_task_is_found_by_the_id_of_the_answer(moneta: Moneta) -> None:
    created = moneta.call("POST", "/tasks", FORM | {"name": "NN", "command": "date"}).json()

    assert moneta.get(f"/tasks/{created['id']}")["command"] == "date"


def test_a_new_task_is_made_from_a_template(moneta: Moneta) -> None:
    template = moneta.get(f"/tasks/{moneta.created(**FORM | {'tags': ['template', 'nightly']})}")
    made = moneta.created(**template | {"tags": [tag for tag in template["tags"] if tag != "template"]})

    assert moneta.get(f"/tasks/{made}")["tags"] == ["nightly"]


def test_the_form_saves_what_it_has_changed(moneta: Moneta, task_id: str) -> None:
    task = moneta.get(f"/tasks/{task_id}")
    task["schedules"].append({"minute": ["*/5"], "hour": []})
    moneta.call("PUT", f"/tasks/{task_id}", task)

    assert moneta.get(f"/tasks/{task_id}")["schedules"] == [{"minute": ["*/5"], "hour": []}]


def test_a_task_is_deleted_without_a_body(moneta: Moneta, task_id: str) -> None:
    assert (moneta.call("DELETE", f"/tasks/{task_id}").status_code, task_id in moneta.get("/tasks")) == (200, False)


def test_members_of_a_task_that_become_parameters_of_its_deletion_do_no_harm(moneta: Moneta, task_id: str) -> None:
    assert moneta.call("DELETE", f"/tasks/{task_id}", nonsense="1", tag="2").status_code == 200


def test_a_deleted_task_is_restored_from_the_audit_log(moneta: Moneta, task_id: str) -> None:
    task = moneta.get(f"/tasks/{task_id}")
    moneta.call("DELETE", f"/tasks/{task_id}")
    deleted = next(record for record in moneta.get("/auditlog", type="moneta-task-deleted")["records"] if record["task"] == task_id)
    moneta.call("PUT", f"/tasks/{task_id}", deleted["config"])

    assert moneta.get(f"/tasks/{task_id}") == task


@pytest.mark.parametrize("task", [{}, {"tags": None, "pools": None}], ids=["absent", "null"])
def test_each_task_of_the_list_has_lists_of_tags_and_pools(moneta: Moneta, task: dict[str, Any]) -> None:
    task_id = moneta.created(**task)
    listed = moneta.get("/tasks")[task_id]

    assert (listed["tags"], listed["pools"]) == ([], ["default"])


def test_no_member_of_a_job_is_taken_for_a_setting_of_a_request(moneta: Moneta) -> None:
    job_id = uuid.uuid4().hex
    moneta.native("POST", "/jobs", {"id": job_id, "name": "Native", "command": "true", "timeout": 1, "labels": {"params": "x"}})

    assert not ITS_OWN & set(moneta.get(f"/tasks/{job_id}"))


def test_the_form_shows_and_saves_the_schedules_of_a_job_that_moneta_never_saw(moneta: Moneta) -> None:
    job_id = uuid.uuid4().hex
    schedule = {"fields": {"hour": "1,2", "minute": 0}, "timezone": "UTC"}
    moneta.native("POST", "/jobs", {"id": job_id, "name": "Native", "command": "true", "enabled": False, "schedules": [schedule]})
    task = moneta.get(f"/tasks/{job_id}")
    moneta.call("PUT", f"/tasks/{job_id}", task | {"description": "Changed"})

    assert task["schedules"] == [{"hour": ["1,2"], "minute": ["0"]}]
    assert moneta.native("GET", f"/jobs/{job_id}")["schedules"] == [in_lists(schedule)]
