"""The documented examples: each request as it is written there, but for the comma that JSON does not allow, and the answer to it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.dialects.minion.client import MinionClient

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
KEYS = {
    "account", "description", "details", "enabled", "group", "id", "modified_at", "modified_by", "name", "schedule_expression",
}  # fmt: skip
DUMMY = {
    "description": "Do some dumb thing to my server",
    "details": {"runner": "dummyRunner"},
    "group": "space-xy",
    "modified_by": "someone",
    "name": "dummy-spin1234567",
    "schedule_expression": "* * * ? *",
    "enabled": True,
}
INSTANCE = {
    "description": "Start my server",
    "details": {"instance_action": "start", "instance_id": "i-aaaabbbb11112222", "runner": "instanceRunner"},
    "group": "space-xy",
    "id": "7cf7433f-f6c2-496e-8fe9-ed4776d130c1",
    "modified_at": "2020-02-28T18:14:26Z",
    "modified_by": "someone",
    "name": "start-spinaaaabbbb11112222",
    "schedule_expression": "* * * ? *",
    "enabled": True,
}


@pytest.fixture
def job(minion: MinionClient, group: str) -> Any:
    """The documented one, in a group of its own."""
    return minion.call("POST", f"/jobs/{group}", DUMMY).json()


def written(answer: Any) -> dict[str, Any]:
    """What of a job the client says itself."""
    return {name: value for name, value in answer.items() if name not in ("account", "id", "modified_at")}


def test_a_job_is_created_and_answered_as_it_was_written(minion: MinionClient) -> None:
    answer = minion.call("POST", "/jobs/space-xy", DUMMY)

    assert (answer.status_code, written(answer.json())) == (200, DUMMY)


def test_an_answer_has_all_ten_keys(job: Any) -> None:
    assert set(job) == KEYS


def test_a_new_job_gets_a_random_id(job: Any) -> None:
    assert UUID4.fullmatch(job["id"])


def test_a_job_says_to_the_second_when_it_was_changed(job: Any) -> None:
    assert TIME.fullmatch(job["modified_at"])


def test_an_instance_job_is_created_as_it_is_documented_but_with_an_id_of_its_own(minion: MinionClient) -> None:
    answer = minion.call("POST", "/jobs/space-xy", INSTANCE)

    assert written(answer.json()) == {name: value for name, value in INSTANCE.items() if name not in ("id", "modified_at")}
    assert answer.json()["id"] != INSTANCE["id"]


def test_a_job_is_updated(minion: MinionClient, job: Any, group: str) -> None:
    answer = minion.call("PUT", f"/jobs/{group}/{job['id']}", DUMMY | {"group": group, "id": job["id"], "enabled": False})

    assert (answer.status_code, answer.json()) == (202, job | {"enabled": False, "modified_at": answer.json()["modified_at"]})


def test_an_update_is_not_older_than_the_creation(minion: MinionClient, job: Any, group: str) -> None:
    answer = minion.call("PUT", f"/jobs/{group}/{job['id']}", DUMMY | {"enabled": False})

    assert answer.json()["modified_at"] >= job["modified_at"]


def test_a_job_is_got_as_it_was_created(minion: MinionClient, job: Any, group: str) -> None:
    answer = minion.call("GET", f"/jobs/{group}/{job['id']}")

    assert (answer.status_code, answer.json()) == (200, job)


def test_the_jobs_of_an_account_are_listed_with_their_groups(minion: MinionClient, group: str) -> None:
    jobs = [minion.created(group), minion.created(group), minion.created(f"{group}-other")]

    listed = minion.call("GET", "/jobs").json()

    assert {f"{job['group']}/{job['id']}" for job in jobs} == {name for name in listed if name.startswith(group)}


def test_the_jobs_of_a_group_are_listed_by_their_ids(minion: MinionClient, group: str) -> None:
    jobs = [minion.created(group), minion.created(group)]

    answer = minion.call("GET", f"/jobs/{group}")

    assert (answer.status_code, sorted(answer.json())) == (200, sorted(job["id"] for job in jobs))


def test_a_job_is_deleted(minion: MinionClient, job: Any, group: str) -> None:
    answer = minion.call("DELETE", f"/jobs/{group}/{job['id']}")

    assert (answer.status_code, answer.text, minion.call("GET", f"/jobs/{group}").json()) == (202, "OK", [])


def test_all_jobs_of_a_group_are_deleted(minion: MinionClient, group: str) -> None:
    for _ in range(3):
        minion.created(group)

    answer = minion.call("DELETE", f"/jobs/{group}")

    assert (answer.status_code, answer.text, minion.call("GET", f"/jobs/{group}").json()) == (202, "OK", [])


def test_a_job_is_run(minion: MinionClient, job: Any, group: str) -> None:
    answer = minion.call("PATCH", f"/jobs/{group}/{job['id']}")

    assert (answer.status_code, answer.text) == (202, "OK")
    assert len(minion.runs(job)) == 1


def test_the_documented_schedule_is_every_minute(minion: MinionClient, job: Any) -> None:
    ticks = minion.native("GET", f"/jobs/{minion.native_id(job)}/next?count=3")["next_ticks"]

    minutes = [int(tick[14:16]) for tick in ticks]
    assert minutes == [(minutes[0] + later) % 60 for later in range(3)]


def test_ping_answers_without_a_key(minion: MinionClient) -> None:
    answer = minion.bare("GET", "/ping")

    assert (answer.status_code, answer.text, answer.headers["Access-Control-Allow-Origin"]) == (200, "pong", "*")


def test_version_answers_three_texts_without_a_key(minion: MinionClient) -> None:
    answer = minion.bare("GET", "/version")

    assert {name: type(value) for name, value in answer.json().items()} == {"version": str, "githash": str, "buildstamp": str}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
