"""Job calls need a key, always."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path

import pytest
import requests

from tests.api.job_calls import ROOT, JobCalls
from tests.api.wire import exchange, request
from tests.support.mongod import Mongod
from tests.support.server import CoalMine

PATHS = ["/jobs", "/jobs/abc", "/runs", "/runs/abc/output", "/nodes", "/pools", "/execution"]


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"somebody:{password}".encode()).decode()


@pytest.mark.parametrize("path", PATHS)
def test_without_the_key_no_job_call_is_answered(jobs: JobCalls, path: str) -> None:
    assert requests.get(jobs.server.url + ROOT + path).status_code == 401


def test_a_server_without_configuration_asks_for_its_key_for_job_calls_only(jobs: JobCalls) -> None:
    assert jobs.server.call("list", search="^$")["status"] == "ok"


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"X-Auth-Token": "KEY"}, {}),
        ({"Authorization": "Bearer KEY"}, {}),
        ({}, {"auth_key": "KEY"}),
    ],
)
def test_the_key_is_accepted_in_each_form(jobs: JobCalls, headers: dict[str, str], query: dict[str, str]) -> None:
    given = {name: text.replace("KEY", jobs.key) for name, text in headers.items()}
    asked = {name: text.replace("KEY", jobs.key) for name, text in query.items()}

    assert requests.get(f"{jobs.server.url}{ROOT}/nodes", headers=given, params=asked).status_code == 200


def test_the_key_is_accepted_as_a_basic_password(jobs: JobCalls) -> None:
    assert requests.get(f"{jobs.server.url}{ROOT}/nodes", headers={"Authorization": basic(jobs.key)}).status_code == 200


def test_a_foreign_page_cannot_use_the_password_that_a_browser_remembers(jobs: JobCalls) -> None:
    headers = {"Authorization": basic(jobs.key), "Origin": "https://evil.example"}

    assert requests.post(f"{jobs.server.url}{ROOT}/jobs", headers=headers, json={}).status_code == 403


def test_an_empty_key_is_wrong(jobs: JobCalls) -> None:
    assert requests.get(f"{jobs.server.url}{ROOT}/nodes", headers={"X-Auth-Token": ""}, params={"auth_key": ""}).status_code == 401


def test_the_configured_key_is_that_of_job_calls_too(guarded: CoalMine, key: str) -> None:
    assert JobCalls(guarded, key).call("GET", "/jobs").status_code == 200


def test_no_body_is_read_before_the_key(jobs: JobCalls) -> None:
    sent = request("POST", f"{ROOT}/jobs", "Content-Type: application/json", "Content-Length: 1000")

    assert exchange(jobs.server, sent).status == 401  # although not a byte of the body has come


def test_the_key_is_not_in_the_log(jobs: JobCalls) -> None:
    jobs.call("GET", "/jobs", auth_key=jobs.key)

    assert jobs.key not in jobs.server.log


def test_the_description_of_the_api_needs_no_key(jobs: JobCalls) -> None:
    assert requests.get(f"{jobs.server.url}{ROOT}/openapi.json").status_code == 200


def test_on_mongodb_without_a_configured_key_job_calls_are_refused(tmp_path: Path, mongod: Mongod) -> None:
    ini = f"[mongodb]\nhosts = {mongod.uri}\ndatabase = keyless-{uuid.uuid4().hex}\n[wsgi]\nhost = 127.0.0.1\n"
    with CoalMine(tmp_path, ini=ini) as keyless:
        answer = JobCalls(keyless, "anything").call("GET", "/jobs")

    assert (answer.status_code, answer.json()["error"]) == (
        403,
        "job calls need a key, and this server has none: set [wsgi] auth_key in coal-mine.ini",
    )
