"""What is no job: each mistake is one line of text that names the field."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import requests

from tests.dialects.minion.client import KEY, MinionClient

NO_CRON = "must be five: minute, hour, day of the month, month, weekday"
WRONG = [
    ({"name": 1}, "name is a number, not a text"),
    ({"description": ["x"]}, "description is a list, not a text"),
    ({"group": {}}, "group is an object, not a text"),
    ({"id": 7}, "id is a number, not a text"),
    ({"account": False}, "account is true or false, not a text"),
    ({"modified_by": 1.5}, "modified_by is a number, not a text"),
    ({"modified_at": 1}, "modified_at is a number, not a text"),
    ({"modified_at": "yesterday"}, "modified_at 'yesterday' is not a time such as 2020-02-27T16:22:09Z"),
    ({"modified_at": "2020-02-30T00:00:00Z"}, "modified_at '2020-02-30T00:00:00Z' is not a time such as 2020-02-27T16:22:09Z"),
    ({"enabled": "false"}, "enabled is a text, not true or false"),
    ({"enabled": 1}, "enabled is a number, not true or false"),
    ({"details": "dummyRunner"}, "details is a text, not an object"),
    ({"details": {"runner": 5}}, "details.runner is a number, not a text"),
    ({"details": {"runner": "dummyRunner", "count": None}}, "details.count is null, not a text"),
    ({"details": {"": "x"}}, "details '' is not a detail's name: 1 to 200 printable characters"),
    ({"schedule_expression": "0 0 30 feb ?"}, "schedule_expression '0 0 30 feb ?' never comes\n"),
    ({"schedule_expression": 5}, "schedule_expression is a number, not a text"),
    ({"schedule_expression": "whenever"}, f"schedule_expression 'whenever' has 1 fields; there {NO_CRON}"),
    ({"schedule_expression": "* * * * 7"}, "schedule_expression '7' in the field of the weekday: the values go from 0 to 6"),
    ({"schedule_expression": "@every soon"}, "schedule_expression '@every soon': give a duration such as 90s, 5m or 1h30m"),
    ({"job": {"name": 1}}, "name is a number, not a text"),
    ({"job": []}, "job is a list, not an object"),
    ({"job": {}, "tags": {}}, "tags is an object, not a list"),
    ({"job": {}, "tags": [{"key": 1}]}, "tags[0].key is a number, not a text"),
    ([], "the body is a list, not an object"),
    (None, "the body is null, not an object"),
]


def sent(minion: MinionClient, method: str, path: str, body: bytes) -> requests.Response:
    """Of no type, as from a client that says none."""
    return minion.bare(method, f"/spinup{path}", data=body, headers={"X-Auth-Token": KEY})


@pytest.mark.parametrize(("body", "fault"), WRONG)
def test_a_job_of_wrong_types_is_not_created(minion: MinionClient, group: str, body: Any, fault: str) -> None:
    answer = sent(minion, "POST", f"/jobs/{group}", json.dumps(body).encode())

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert fault in answer.text
    assert minion.call("GET", f"/jobs/{group}").json() == []


@pytest.mark.parametrize(("body", "fault"), WRONG)
def test_a_job_stays_as_it_was_when_it_is_sent_back_with_wrong_types(minion: MinionClient, body: Any, fault: str) -> None:
    job = minion.created()

    answer = sent(minion, "PUT", f"/jobs/space-xy/{job['id']}", json.dumps(body).encode())

    assert answer.status_code == 400
    assert fault in answer.text
    assert minion.call("GET", f"/jobs/space-xy/{job['id']}").json() == job


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "the body is missing"),
        (b"{", "the body is not JSON"),
        (b'{"name": "a", "name": "b"}', "two members 'name'"),
        (b'{"name": "\xff"}', "the body is not UTF-8"),
        (b'{"name": "\\ud800"}', "half a character"),
        (b"[" * 100_000, "deep"),
    ],
)
def test_what_is_no_json_is_refused_with_what_is_wrong_with_it(minion: MinionClient, body: bytes, fault: str) -> None:
    answer = sent(minion, "POST", "/jobs/space-xy", body)

    assert answer.status_code == 400
    assert fault in answer.text


def test_a_body_that_is_too_large_is_refused(minion: MinionClient) -> None:
    answer = sent(minion, "POST", "/jobs/space-xy", b" " * 2_000_000)

    assert (answer.status_code, answer.text) == (413, "the body has 2000000 bytes; at most 1048576 are allowed\n")


def test_a_job_that_is_longer_than_can_be_kept_is_refused(minion: MinionClient) -> None:
    answer = minion.call("POST", "/jobs/space-xy", {"description": "x" * 70_000})

    assert answer.status_code == 400
    assert "at most 65536 are allowed" in answer.text


def test_a_client_need_not_say_that_its_body_is_json(minion: MinionClient, group: str) -> None:
    assert sent(minion, "POST", f"/jobs/{group}", b'{"name": "x"}').json()["name"] == "x"


@pytest.mark.parametrize(("method", "path"), [("GET", "/jobs"), ("POST", "/jobs/space-xy"), ("DELETE", "/jobs/space-xy")])
def test_an_account_that_is_not_configured_is_not_found(minion: MinionClient, method: str, path: str) -> None:
    answer = minion.bare(method, f"/nobody{path}", json={}, headers={"X-Auth-Token": KEY})

    assert (answer.status_code, answer.text) == (404, "account not found: nobody\n")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_a_job_of_an_account_that_is_not_configured_is_not_found(minion: MinionClient, method: str) -> None:
    answer = minion.bare(method, f"/nobody/jobs/space-xy/{uuid.uuid4()}", json={}, headers={"X-Auth-Token": KEY})

    assert (answer.status_code, answer.text) == (404, "account not found: nobody\n")


@pytest.mark.parametrize("job_id", [str(uuid.UUID(int=1)), "1", "space-xy:1", "x" * 300, "7CF7433F-F6C2-496E-8FE9-ED4776D130C1"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_a_job_that_does_not_exist_is_not_found(minion: MinionClient, method: str, job_id: str) -> None:
    answer = minion.call(method, f"/jobs/space-xy/{job_id}", {})

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert answer.text == f"job not found: {job_id[:100]}\n"


def test_a_job_of_another_group_is_not_found(minion: MinionClient, group: str) -> None:
    job = minion.created(group)

    assert minion.call("GET", f"/jobs/{group}-other/{job['id']}").status_code == 404


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize("name", ["a%20b", "a:b", "%C3%A9", "-a", "a" * 65])
def test_a_group_of_a_name_that_nothing_can_have_is_refused(minion: MinionClient, method: str, name: str) -> None:
    answer = minion.call(method, f"/jobs/{name}", {})

    assert answer.status_code == 400
    assert "cannot be a group: up to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit" in answer.text
