"""Who may call, and what pages of other sites may do."""

from __future__ import annotations

import uuid
from typing import Any

import bcrypt
import pytest
import requests

from tests.dialects.minion.client import KEY, MinionClient

CALLS = [
    ("GET", "/spinup/jobs"),
    ("GET", "/spinup/jobs/space-xy"),
    ("POST", "/spinup/jobs/space-xy"),
    ("DELETE", "/spinup/jobs/space-xy"),
    *((method, f"/spinup/jobs/space-xy/{uuid.UUID(int=1)}") for method in ("GET", "PUT", "DELETE", "PATCH")),
    ("GET", "/nowhere"),
    ("GET", "/unknown/jobs"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("headers", [{}, {"X-Auth-Token": "wrong"}, {"X-Auth-Token": ""}], ids=["no key", "wrong key", "empty key"])
def test_whoever_lacks_the_key_is_answered_403_without_a_word(
    minion: MinionClient, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = minion.bare(method, path, headers=headers)

    assert (answer.status_code, answer.content) == (403, b"")


@pytest.mark.parametrize(
    "given",
    [
        {"headers": {"X-Auth-Token": KEY}},
        {"headers": {"Authorization": f"Bearer {KEY}"}},
        {"auth": ("somebody", KEY)},
        {"params": {"auth_key": KEY}},
    ],
    ids=["X-Auth-Token", "Bearer", "Basic", "auth_key"],
)
def test_the_key_is_accepted_in_every_form_that_the_native_api_accepts(minion: MinionClient, given: dict[str, Any]) -> None:
    assert minion.bare("GET", "/spinup/jobs", **given).status_code == 200


def test_a_bcrypt_hash_of_the_key_is_as_good_as_the_key(minion: MinionClient) -> None:
    token = bcrypt.hashpw(KEY.encode(), bcrypt.gensalt(10)).decode()

    assert minion.bare("GET", "/spinup/jobs", headers={"X-Auth-Token": token}).status_code == 200


@pytest.mark.parametrize("key", ["wrong", "", f"{KEY} "])
def test_a_bcrypt_hash_of_something_else_is_none(minion: MinionClient, key: str) -> None:
    token = bcrypt.hashpw(key.encode(), bcrypt.gensalt(4)).decode()

    assert minion.bare("GET", "/spinup/jobs", headers={"X-Auth-Token": token}).status_code == 403


def test_a_page_of_another_site_cannot_use_a_password_that_the_browser_adds(minion: MinionClient) -> None:
    answer = minion.bare("GET", "/spinup/jobs", auth=("somebody", KEY), headers={"Origin": "https://evil.example.com"})

    assert (answer.status_code, answer.content) == (403, b"")


@pytest.mark.parametrize("path", ["/ping", "/spinup/jobs", "/spinup/jobs/space-xy/whatever", "/nowhere", ""])
def test_a_preflight_is_answered_for_every_path_without_a_key(minion: MinionClient, path: str) -> None:
    answer = minion.bare("OPTIONS", path)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Headers"] == "X-Auth-Token"


@pytest.mark.parametrize(("method", "path"), [("OPTIONS", "/spinup/jobs"), ("GET", "/ping"), ("GET", "/version"), ("GET", "/spinup/jobs")])
def test_no_browser_is_told_to_send_credentials_along(minion: MinionClient, method: str, path: str) -> None:
    answer = minion.bare(method, path, headers={"X-Auth-Token": KEY, "Origin": "https://example.com"})

    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_what_needs_the_key_is_no_other_sites_to_read(minion: MinionClient) -> None:
    answer = minion.call("GET", "/jobs", headers={"Origin": "https://example.com"})

    assert "Access-Control-Allow-Origin" not in answer.headers


def test_metrics_are_open_and_in_the_form_of_prometheus(minion: MinionClient) -> None:
    answer = minion.bare("GET", "/metrics")

    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "\nprocess_resident_memory_bytes " in answer.text


@pytest.mark.parametrize("name", ["coal_mine_info{", "coal_mine_healthy 1.0", 'coal_mine_seconds_since_success{loop="watcher"} '])
def test_metrics_tell_what_health_tells(minion: MinionClient, name: str) -> None:
    assert f"\n{name}" in minion.bare("GET", "/metrics").text


@pytest.mark.parametrize("path", ["/ping", "/version", "/metrics"])
def test_what_is_open_is_only_read(minion: MinionClient, path: str) -> None:
    answer = minion.bare("POST", path, headers={"X-Auth-Token": KEY})

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_the_head_of_an_answer_comes_without_its_body(minion: MinionClient) -> None:
    answer = minion.bare("HEAD", "/ping")

    assert (answer.status_code, answer.content) == (200, b"")


def test_a_path_that_is_none_is_answered_in_plain_text(minion: MinionClient) -> None:
    answer = minion.call("GET", "/nothing")

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert answer.text == "404 Not Found: there is nothing at '/v1/minion/spinup/nothing'\n"


def test_the_rest_of_v1_is_nobodys(minion: MinionClient) -> None:
    assert requests.get(f"{minion.server.url}/v1/other", headers={"X-Auth-Token": KEY}, timeout=60).status_code == 404
