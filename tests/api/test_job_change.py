"""Replacing, patching, enabling, disabling and deleting jobs."""

from __future__ import annotations

import base64

import pytest

from tests.api.job_calls import JobCalls

HOURLY = [{"cron": "0 * * * *"}]


def test_put_gives_defaults_to_what_it_does_not_name(jobs: JobCalls) -> None:
    job = jobs.created(tags=["nightly"], priority=7)
    changed = jobs.call("PUT", f"/jobs/{job['id']}", {"name": "A job", "command": "false"}).json()

    assert (changed["command"], changed["tags"], changed["priority"]) == ("false", [], 0)


def test_patch_leaves_what_it_does_not_name(jobs: JobCalls) -> None:
    job = jobs.created(tags=["nightly"], priority=7)
    changed = jobs.call("PATCH", f"/jobs/{job['id']}", {"priority": 8}).json()

    assert (changed["tags"], changed["priority"], changed["version"]) == (["nightly"], 8, 2)


def test_an_answer_can_be_edited_and_sent_back(jobs: JobCalls) -> None:
    job = jobs.created(namespace="group", schedules=[{"every": 3600}])
    changed = jobs.call("PUT", f"/jobs/{job['id']}", job | {"description": "edited"}).json()

    assert changed == job | {"description": "edited", "version": 2, "changed_at": changed["changed_at"]}


def basic(user: str, key: str) -> dict[str, str]:
    return {"X-Auth-Token": "", "Authorization": "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", {"name": "A job", "command": "false"}),
        ("PATCH", "", {"priority": 1}),
        ("POST", "/disable", None),
    ],
)
def test_a_job_says_which_user_has_changed_it(jobs: JobCalls, method: str, path: str, body: object) -> None:
    job = jobs.created()
    changed = jobs.call(method, f"/jobs/{job['id']}{path}", body, headers=basic("Zoë", jobs.key)).json()

    assert changed["changed_by"] == "Zoë"


def test_a_name_that_came_beside_another_password_is_not_believed(jobs: JobCalls) -> None:
    job = jobs.created()
    headers = {"X-Auth-Token": jobs.key, "Authorization": basic("Zoë", "not-the-key")["Authorization"]}

    assert jobs.call("PATCH", f"/jobs/{job['id']}", {"priority": 1}, headers=headers).json()["changed_by"] == "127.0.0.1"


def test_a_new_job_says_from_where_it_was_created_when_no_user_was_named(jobs: JobCalls) -> None:
    assert jobs.created()["changed_by"] == "127.0.0.1"


def test_who_has_changed_a_job_cannot_be_made_up_in_its_body(jobs: JobCalls) -> None:
    job = jobs.created()
    changed = jobs.call("PUT", f"/jobs/{job['id']}", job | {"priority": 1, "changed_by": "somebody else"}).json()

    assert (changed["priority"], changed["changed_by"]) == (1, "127.0.0.1")


def test_what_changes_nothing_makes_no_new_version(jobs: JobCalls) -> None:
    job = jobs.created(schedules=[{"every": 3600}])

    assert jobs.call("PUT", f"/jobs/{job['id']}", job).json() == job


def test_another_id_in_the_body_is_refused(jobs: JobCalls) -> None:
    job = jobs.created()

    assert jobs.error("PATCH", f"/jobs/{job['id']}", {"id": "other"}) == (400, f"id 'other' cannot be changed: this is {job['id']!r}")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_version_that_has_passed_is_refused(jobs: JobCalls, method: str) -> None:
    job = jobs.created()
    jobs.call("PATCH", f"/jobs/{job['id']}", {"priority": 1})
    status, text = jobs.error(method, f"/jobs/{job['id']}", {"name": "A job", "command": "true"}, headers={"If-Match": '"1"'})

    assert (status, text) == (412, f"job {job['id']} has version 2, not 1: get it again")


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', "1", "*"])
def test_the_present_version_is_accepted(jobs: JobCalls, tag: str) -> None:
    job = jobs.created()

    assert jobs.call("PATCH", f"/jobs/{job['id']}", {"priority": 1}, headers={"If-Match": tag}).status_code == 200


def test_a_version_that_is_none_is_refused(jobs: JobCalls) -> None:
    job = jobs.created()

    assert jobs.error("PATCH", f"/jobs/{job['id']}", {"priority": 1}, headers={"If-Match": '"x"'})[0] == 400


def test_a_disabled_job_has_no_next_tick_and_a_paused_canary(jobs: JobCalls) -> None:
    job = jobs.created(schedules=HOURLY)
    disabled = jobs.call("POST", f"/jobs/{job['id']}/disable").json()

    assert (disabled["enabled"], disabled["next_at"]) == (False, None)
    assert jobs.server.call("get", id=job["canary"])["canary"]["paused"]


def test_an_enabled_job_is_planned_and_watched_again(jobs: JobCalls) -> None:
    job = jobs.created(schedules=HOURLY, enabled=False)
    enabled = jobs.call("POST", f"/jobs/{job['id']}/enable").json()

    assert enabled["next_at"].endswith(":00:00.000Z")
    assert not jobs.server.call("get", id=job["canary"])["canary"]["paused"]


def test_a_deleted_job_is_gone_with_its_canary(jobs: JobCalls) -> None:
    job = jobs.created()

    assert jobs.call("DELETE", f"/jobs/{job['id']}").json() == {"status": "ok"}
    assert jobs.error("GET", f"/jobs/{job['id']}") == (404, f"there is no job with the id {job['id']!r}")
    assert jobs.server.get("/coal-mine/v1/canary/get", id=job["canary"]).status_code == 404


def test_the_runs_of_a_deleted_job_stay(jobs: JobCalls) -> None:
    job = jobs.created()
    run = jobs.run(job)
    jobs.call("DELETE", f"/jobs/{job['id']}")

    assert [each["id"] for each in jobs.call("GET", "/runs", job=job["id"]).json()["runs"]] == [run["id"]]


def test_the_next_ticks_of_a_job_are_told(jobs: JobCalls) -> None:
    job = jobs.created(schedules=[{"cron": "0 6 * * *", "timezone": "Asia/Tokyo"}])
    ticks = jobs.call("GET", f"/jobs/{job['id']}/next", count=3).json()["next_ticks"]

    assert [tick[10:] for tick in ticks] == ["T06:00:00.000+09:00"] * 3


def test_a_disabled_job_tells_the_ticks_that_it_would_have(jobs: JobCalls) -> None:
    job = jobs.created(schedules=HOURLY, enabled=False)

    assert len(jobs.call("GET", f"/jobs/{job['id']}/next").json()["next_ticks"]) == 10
