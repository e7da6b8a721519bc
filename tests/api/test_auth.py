"""The key: every call but trigger needs it, in one of five forms."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.api.wire import FORM, Answer, exchange, form, request
from tests.support.server import API, CoalMine

GUARDED = ["create", "delete", "update", "get", "list", "pause", "unpause"]
WRONG = ["", "wrong", "right-key-736", "right-key-73611", "RIGHT-KEY-7361", "\0", "x" * 10_000]


def basic(password: str, user: str = "anybody") -> str:
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def canary(guarded: CoalMine, key: str, name: str) -> Any:
    return guarded.call("create", name=name, periodicity=3600, auth_key=key)["canary"]


def assert_refused(answer: Answer) -> None:
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="Coal Mine"'
    assert answer.error.startswith("the key is missing or wrong")


@pytest.mark.parametrize("command", GUARDED)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_key_nothing_but_a_trigger_is_possible(guarded: CoalMine, command: str, method: str) -> None:
    assert_refused(exchange(guarded, request(method, f"{API}/{command}", "Content-Length: 0")))


def test_the_key_is_asked_for_before_anything_else(guarded: CoalMine) -> None:
    assert_refused(exchange(guarded, request("GET", f"{API}/get?id=aaaaaaaa&bogus=%ff&bogus=2")))


@pytest.mark.parametrize("path", ["/nothing", API, f"{API}/nothing"])
def test_unknown_paths_are_not_found_without_a_key_too(guarded: CoalMine, path: str) -> None:
    assert guarded.get(path).status_code == 404


def test_the_key_as_a_parameter_opens(guarded: CoalMine, key: str, canary: Any) -> None:
    assert guarded.call("get", id=canary["id"], auth_key=key)["canary"] == canary


@pytest.mark.parametrize("header", ["X-Auth-Token: {}", "x-auth-token: {}", "Authorization: Bearer {}", "authorization: bearer   {}"])
def test_the_key_as_a_header_opens(guarded: CoalMine, key: str, header: str) -> None:
    assert exchange(guarded, request("GET", f"{API}/list", header.format(key))).status == 200


@pytest.mark.parametrize("user", ["", "anybody", "a b"])
def test_the_key_as_the_password_of_any_user_opens(guarded: CoalMine, key: str, user: str) -> None:
    assert exchange(guarded, request("GET", f"{API}/list", basic(key, user))).status == 200


def test_the_key_in_a_form_opens(guarded: CoalMine, key: str) -> None:
    assert exchange(guarded, form("list", f"auth_key={key}".encode())).status == 200


def test_one_right_key_among_wrong_ones_is_enough(guarded: CoalMine, key: str) -> None:
    sent = request("GET", f"{API}/list?auth_key=wrong", f"X-Auth-Token: {key}", "Authorization: Bearer wrong")

    assert exchange(guarded, sent).status == 200


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_key_as_a_parameter_is_refused(guarded: CoalMine, wrong: str) -> None:
    assert guarded.get(f"{API}/list", auth_key=wrong).status_code == 401


@pytest.mark.parametrize("wrong", [wrong for wrong in WRONG if wrong != "\0"])
@pytest.mark.parametrize("header", ["X-Auth-Token: {}", "Authorization: Bearer {}"])
def test_a_wrong_key_as_a_header_is_refused(guarded: CoalMine, header: str, wrong: str) -> None:
    assert_refused(exchange(guarded, request("GET", f"{API}/list", header.format(wrong))))


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_key_as_a_password_is_refused(guarded: CoalMine, wrong: str) -> None:
    assert_refused(exchange(guarded, request("GET", f"{API}/list", basic(wrong))))


def test_the_key_as_the_user_is_refused(guarded: CoalMine, key: str) -> None:
    assert_refused(exchange(guarded, request("GET", f"{API}/list", basic("", user=key))))


@pytest.mark.parametrize("body", [b"", b"auth_key=wrong", b"auth_key=%ff", b"auth_key=\xff", b"auth_key", b"id=aaaaaaaa"])
def test_a_form_without_the_key_is_refused(guarded: CoalMine, body: bytes) -> None:
    assert_refused(exchange(guarded, form("list", body)))


@pytest.mark.parametrize("query", ["auth_key=%ff", "auth_key=%f0%9f%90%a4", "AUTH_KEY={}", "auth_key={}%20", "auth_key={}%00"])
def test_what_resembles_the_key_is_refused(guarded: CoalMine, key: str, query: str) -> None:
    assert_refused(exchange(guarded, request("GET", f"{API}/list?{query.format(key)}")))


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "Basic",
        "Basic ",
        "Basic ***",
        "Basic Og==",
        "Basic ////",
        "Basic \N{SNOWMAN}",
        "Bearer",
        "Bearer \N{SNOWMAN}",
        "Digest a=b",
        "{}",
        "Basic {}",
    ],
)
def test_a_malformed_authorization_is_refused(guarded: CoalMine, key: str, value: str) -> None:
    assert_refused(exchange(guarded, request("GET", f"{API}/list", "Authorization: " + value.format(key))))


def test_the_key_can_be_no_parameter_of_a_call(guarded: CoalMine, key: str, canary: Any) -> None:
    shown = exchange(guarded, request("GET", f"{API}/get?id={canary['id']}&auth_key={key}&auth_key={key}"))

    assert shown.json["canary"] == canary


@pytest.mark.parametrize("query", ["", "?auth_key=", "?auth_key=wrong", "?auth_key=%ff", "?auth_key=a&auth_key=b"])
@pytest.mark.parametrize("path", ["/{id}", API + "/trigger"])
def test_a_trigger_needs_no_key_and_ignores_any(guarded: CoalMine, canary: Any, path: str, query: str) -> None:
    target = path.format(**canary) + query + (("&" if query else "?") + f"id={canary['id']}")

    assert exchange(guarded, request("GET", target)).json == {"status": "ok", "recovered": False, "unpaused": False}


def test_a_trigger_ignores_the_right_key_too(guarded: CoalMine, key: str, canary: Any) -> None:
    assert guarded.call("trigger", id=canary["id"], auth_key=key)["status"] == "ok"


def test_a_key_is_ignored_where_none_is_set(server: CoalMine) -> None:
    assert server.call("list", auth_key="any", search="^nobody$") == {"status": "ok", "canaries": []}


def test_a_body_is_not_read_for_a_key_when_it_is_too_large(guarded: CoalMine) -> None:
    answer = exchange(guarded, request("POST", f"{API}/list", FORM, "Content-Length: 300000"))

    assert answer.status == 413


@pytest.fixture(scope="module")
def umlaut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    ini = "[wsgi]\nhost = 127.0.0.1\nauth_key = Schl\N{LATIN SMALL LETTER U WITH DIAERESIS}ssel & Schlo\N{LATIN SMALL LETTER SHARP S}\n"
    directory: Path = tmp_path_factory.mktemp("umlaut")
    with CoalMine(directory, ini=ini) as running:
        yield running


def test_a_key_may_have_any_letters(umlaut: CoalMine) -> None:
    key = "Schl\N{LATIN SMALL LETTER U WITH DIAERESIS}ssel & Schlo\N{LATIN SMALL LETTER SHARP S}"
    as_parameter = umlaut.get(f"{API}/list", auth_key=key).status_code
    as_field = requests.post(f"{umlaut.url}{API}/list", {"auth_key": key}).status_code
    as_password = exchange(umlaut, request("GET", f"{API}/list", basic(key))).status

    assert (as_parameter, as_field, as_password) == (200, 200, 200)
