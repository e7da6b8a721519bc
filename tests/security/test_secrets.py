"""Passwords, keys and URLs with secrets in them stand in no line of a log and in no answer, whatever goes wrong."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from aiosmtpd.smtp import AuthResult

from tests.api.wire import exchange_all, form, request
from tests.config.conftest import Run, check
from tests.support.mail import MailServer
from tests.support.server import API, CoalMine
from tests.support.waiting import until

__all__ = ["check"]  # a fixture
KEY = "key-of-ours-4711"
MAIL_PASSWORD = "mail-password-0815"
MONGODB_PASSWORD = "mongodb-password-42"
URL_SECRET = "url-secret-1234"
SECRETS = [KEY, MAIL_PASSWORD, MONGODB_PASSWORD, URL_SECRET]


def _forms_of(secret: str) -> list[str]:
    """As it is, and as it stands in Basic credentials and in a login to a mail server."""
    plain = [f"jo:{secret}", f":{secret}", secret, f"\0jo\0{secret}"]
    return [secret, *(base64.b64encode(text.encode()).decode().rstrip("=") for text in plain)]


def _assert_silent(text: str) -> None:
    for secret in SECRETS:
        for shown in _forms_of(secret):
            assert shown not in text


def _refuse(*_: Any) -> AuthResult:
    return AuthResult(success=False, handled=False)


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    """Its mail server refuses the login."""
    with MailServer(authenticator=_refuse, auth_require_tls=False) as mail:
        email = f"[email]\nsender = cm@example.test\nhost = 127.0.0.1\nport = {mail.port}\nusername = jo\npassword = {MAIL_PASSWORD}\n"
        ini = f"{email}[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n[alerts]\noperators = ops@example.test\n"
        with CoalMine(tmp_path_factory.mktemp("server"), ini=ini) as running:
            yield running


def _answers(server: CoalMine, key: str) -> Iterator[bytes]:
    """To calls that bring the key, right or wrong, in every way and in wrong ones, and fail or succeed."""
    basic = base64.b64encode(f"jo:{key}".encode()).decode()
    headers = [
        f"X-Auth-Token: {key}",
        f"Authorization: Bearer {key}",
        f"Authorization: Basic {basic}",
        f"Authorization: {key}",
        f"Cookie: k={key}",
    ]
    for path in (f"{API}/list?bogus=1", f"{API}/get?id=aaaaaaaa", f"{API}/create?name=x", "/nothing", "/aaaaaaaa", f"{API}/trigger?slug=x"):
        sign = "&" if "?" in path else "?"
        sent = [request("GET", f"{path}{sign}auth_key={key}"), request("PUT", f"{path}{sign}auth_key={key}")]
        sent += [request("GET", path, header) for header in headers]
        sent += [request("POST", path, f"Content-Length: {len(key)}", "Content-Type: text/plain", body=key.encode())]
        for one in sent:
            for answer in exchange_all(server, one):
                yield answer.body + repr(answer.headers).encode()
    for command in ("get", "create", "list", "update", "pause"):
        for answer in exchange_all(server, form(command, f"auth_key={key}&bogus={'%ff' if command == 'list' else 1}".encode())):
            yield answer.body


@pytest.mark.parametrize("key", [KEY, f"{KEY}-but-wrong"])
def test_no_answer_repeats_the_key(server: CoalMine, key: str) -> None:
    answers = b"\n".join(_answers(server, key)).decode()

    assert answers.count('"status": "error"') > 20
    _assert_silent(answers)


def test_no_line_of_the_log_has_a_secret_when_mails_fail_and_calls_are_wrong(server: CoalMine) -> None:
    requests.post(f"{server.url}{API}/create", {"auth_key": KEY, "name": "Late", "periodicity": "0.01", "email": "a@example.test"})
    for key in (KEY, f"{KEY}-but-wrong"):
        list(_answers(server, key))
    until("the failed login in the log", lambda: "not delivered" in server.log)

    _assert_silent(server.log)


def test_a_ping_that_fails_tells_nothing_of_its_url(tmp_path: Path, closed_port: int) -> None:
    url = f"http://jo:{URL_SECRET}@127.0.0.1:{closed_port}/{URL_SECRET}?{URL_SECRET}"
    with CoalMine(tmp_path, ini=f"[heartbeat]\nurl = {url}\ninterval = 1\n[wsgi]\nhost = 127.0.0.1\n") as pinging:
        until("the failed ping in the log", lambda: "cannot be reached" in pinging.log)

    _assert_silent(pinging.log)


def test_health_tells_no_secret(server: CoalMine) -> None:
    _assert_silent(server.get("/health").text)


MONGODB = [
    "mongodb://jo:{secret}@127.0.0.1:{port}/cm?serverSelectionTimeoutMS=300",
    "mongodb://jo:{secret}@127.0.0.1:{port}/cm?bogus=1&serverSelectionTimeoutMS=300",
    "mongodb://jo:{secret}@127.0.0.1:port/cm",
    "mongodb://jo:{secret}@/cm",
    "mongodb://jo:{secret}/@127.0.0.1/cm",
    "mongodb://jo:{secret}@127.0.0.1:{port}/cm?authMechanism=NOPE",
    "mongodb+srv://jo:{secret}@127.0.0.1/cm",
    "postgres://jo:{secret}@127.0.0.1/cm",
    "jo:{secret}@127.0.0.1",
]


@pytest.mark.parametrize("uri", MONGODB)
def test_a_start_that_fails_or_waits_for_mongodb_tells_no_password(check: Run, closed_port: int, uri: str) -> None:
    hosts = uri.format(secret=MONGODB_PASSWORD, port=closed_port)
    ended = check(ini=f"[mongodb]\nhosts = {hosts}\n[wsgi]\nauth_key = {KEY}\n")

    _assert_silent(ended.out + ended.err)


@pytest.mark.parametrize(
    "section",
    [
        "[heartbeat]\nurl = ftp://jo:{secret}@x/{secret}",
        "[heartbeat]\nurl = http://jo:{secret}@[x/{secret}",
        "[heartbeat]\nurl = {secret}",
        "[heartbeat]\nurl = http://x/{secret}\ninterval = x",
        "[email]\nhost = x\nusername = jo\npassword = {secret}",
        "[email]\nsender = x\nhost = x\npassword = {secret}",
        "[email]\npasswort = {secret}",
        "[wsgi]\nauth_key = {secret}\nbogus = 1",
        "[wsgi]\nauth_key: {secret}\nauth_key = {secret}",
        "[wsgi]\n{secret}",
        "{secret}",
    ],
)
def test_a_mistake_beside_a_secret_is_told_without_it(check: Run, section: str) -> None:
    ended = check(ini=section.format(secret=URL_SECRET) + "\n")

    _assert_silent(ended.out + ended.err)
