"""Creating jobs, and what a dry run says."""

from __future__ import annotations

import re
import uuid

import pytest

from tests.api.job_calls import JobCalls

DAILY = [{"cron": "0 6 * * *", "timezone": "Europe/Paris"}]


def test_a_new_job_is_answered_with_201_its_place_and_its_version(jobs: JobCalls) -> None:
    answer = jobs.call("POST", "/jobs", {"name": "Backup", "command": "true"})

    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/coal-mine/v1/jobs/{answer.json()['id']}"
    assert answer.headers["ETag"] == '"1"'


def test_the_place_of_a_new_job_leads_to_it(jobs: JobCalls) -> None:
    created = jobs.call("POST", "/jobs", {"name": "Backup", "command": "true"})
    place = created.headers["Location"].removeprefix("/coal-mine/v1")

    assert jobs.call("GET", place).json() == created.json()


def test_a_made_up_id_has_twelve_small_letters_and_digits(jobs: JobCalls) -> None:
    assert re.fullmatch("[a-z][a-z0-9]{11}", jobs.created()["id"])


def test_a_namespace_stands_before_the_id(jobs: JobCalls) -> None:
    last = f"backup-{uuid.uuid4().hex[:8]}"
    job = jobs.created(id=last, namespace="group/project")

    assert (job["id"], job["namespace"]) == (f"group:project:{last}", "group/project")


def test_an_id_that_is_taken_is_refused(jobs: JobCalls) -> None:
    job = jobs.created()

    assert jobs.error("POST", "/jobs", {"name": "Other", "command": "true", "id": job["id"]}) == (
        409,
        f"there is a job with the id {job['id']!r} already",
    )


def test_a_refused_second_job_leaves_no_canary(jobs: JobCalls) -> None:
    job = jobs.created()
    name = f"Second {uuid.uuid4().hex}"
    jobs.call("POST", "/jobs", {"name": name, "command": "true", "id": job["id"]})

    assert jobs.server.call("list", search=name)["canaries"] == []


def test_a_job_has_a_canary(jobs: JobCalls) -> None:
    job = jobs.created(name=f"Watched {uuid.uuid4().hex[:8]}", schedules=DAILY)

    assert jobs.server.call("get", id=job["canary"])["canary"]["name"] == job["name"]


def test_a_job_that_nobody_can_run_as_its_user_is_created_with_a_warning(jobs: JobCalls) -> None:
    job = jobs.created(user="nobody-we-know")

    assert job["warnings"] == ["no registered node of its pools may run as nobody-we-know: each run will fail"]


def test_a_job_of_a_pool_without_nodes_is_created_with_a_warning(jobs: JobCalls) -> None:
    job = jobs.created(pools=["moon"])

    assert job["warnings"] == ["no node serves the pool moon: no run can start until one does"]


def test_a_single_time_in_the_past_is_a_warning(jobs: JobCalls) -> None:
    job = jobs.created(schedules=[{"at": "2020-01-01T00:00:00Z"}])

    assert (job["next_at"], job["warnings"]) == (None, ["schedules[0] has no tick in the future"])


def test_a_dry_run_shows_ten_ticks_in_the_zone_of_their_schedule(jobs: JobCalls) -> None:
    preview = jobs.call("POST", "/jobs", {"name": "Payroll", "command": "true", "schedules": DAILY}, dry_run="true").json()

    assert len(preview["next_ticks"]) == 10
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT06:00:00\.000\+0[12]:00", tick) for tick in preview["next_ticks"])


def test_a_dry_run_stores_nothing(jobs: JobCalls) -> None:
    name = f"Dry {uuid.uuid4().hex}"
    answer = jobs.call("POST", "/jobs", {"name": name, "command": "true"}, dry_run="true")

    assert answer.json()["definition"]["name"] == name
    assert jobs.call("GET", "/jobs", name=name).json() == {"jobs": [], "next": None, "total": 0}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": ""}, "name is missing"),
        ({"command": ""}, "command is missing (or give a script, or the runner dummy, which runs nothing)"),
        ({"retries": {"max": "2"}}, "retries.max is a text, not a number"),
        (
            {"pools": ["a b"]},
            "pools 'a b' is not a pool's name: up to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit",
        ),
        ({"id": "a:b"}, "id 'a:b' is not up to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit;"),
        ({"namespace": "a/b/c"}, "namespace 'a/b/c' has 3 levels; at most 2 are allowed"),
        ({"namespace": "a//"}, "namespace 'a//' has 3 levels"),
        ({"namespace": "/"}, "namespace '/': '' is not up to 64 letters"),
        ({"schedules": [{"cron": "61 * * * *"}]}, "schedules[0].cron '61 * * * *': "),
        ({"commnad": "true"}, "unknown field 'commnad'; known are name, "),
    ],
)
def test_a_mistake_is_answered_with_the_name_of_its_field(jobs: JobCalls, fields: dict[str, object], error: str) -> None:
    status, text = jobs.error("POST", "/jobs", {"name": "A job", "command": "true"} | fields)

    assert (status, text[: len(error)]) == (400, error)
