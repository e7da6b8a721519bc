"""Mail over the ways that a mail server may ask for: encrypted at once, after STARTTLS, with a login."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.support.mail import MailServer
from tests.support.server import CoalMine
from tests.support.waiting import until


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def environ(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """The server trusts the tests' certificates as it would trust an official authority's."""
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    return {"SSL_CERT_FILE": str(tmp_path / "authority.pem")}


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def ini(mail: MailServer, *settings: str) -> str:
    lines = ["[email]", "sender = cm@example.test", "host = 127.0.0.1", f"port = {mail.port}", *settings]
    return "\n".join([*lines, "[wsgi]", "host = 127.0.0.1", "[sqlite]", "path = cm.sqlite3", ""])


def jo_with_secret(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    return AuthResult(success=given == LoginPassword(b"jo", b"s3cret%"), handled=False)


def test_starttls_encrypts_before_the_login(tmp_path: Path, environ: dict[str, str], tls: ssl.SSLContext) -> None:
    options = {"tls_context": tls, "require_starttls": True, "auth_required": True, "authenticator": jo_with_secret}
    with MailServer(**options) as mail:
        settings = ini(mail, "tls = starttls", "username = jo", "password = s3cret%")
        with CoalMine(tmp_path / "server", ini=settings, environ=environ) as server:
            server.call("create", name="Encrypted", periodicity="0.5", email="a@example.test")
            mail.wait_for("[LATE] Encrypted has not reported")

    assert mail.subjects() == ["[LATE] Encrypted has not reported"]


def test_implicit_tls_encrypts_from_the_first_byte(tmp_path: Path, environ: dict[str, str], tls: ssl.SSLContext) -> None:
    with MailServer(ssl_context=tls) as mail, CoalMine(tmp_path / "server", ini=ini(mail, "tls = implicit"), environ=environ) as server:
        server.call("create", name="Encrypted", periodicity="0.5", email="a@example.test")
        mail.wait_for("[LATE] Encrypted has not reported")

    assert mail.subjects() == ["[LATE] Encrypted has not reported"]


def test_a_certificate_that_is_not_trusted_delays_the_mail_loudly(tmp_path: Path, tls: ssl.SSLContext) -> None:
    with MailServer(ssl_context=tls) as mail, CoalMine(tmp_path / "server", ini=ini(mail, "tls = implicit")) as server:
        server.call("create", name="Distrusted", periodicity="0.5", email="a@example.test")
        until("the fault in the log", lambda: "CERTIFICATE_VERIFY_FAILED" in server.log)

    assert mail.subjects() == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # this server is only on 127.0.0.1
def test_a_wrong_password_delays_the_mail_and_the_log_does_not_show_it(tmp_path: Path) -> None:
    options = {"auth_required": True, "auth_require_tls": False, "authenticator": jo_with_secret}
    with MailServer(**options) as mail:
        settings = ini(mail, "username = jo", "password = wr0ng-one")
        with CoalMine(tmp_path / "server", ini=settings) as server:
            server.call("create", name="Locked out", periodicity="0.5", email="a@example.test")
            until("the fault in the log", lambda: "not delivered, next try in" in server.log)

    assert "535" in server.log
    assert "wr0ng-one" not in server.log
    assert mail.subjects() == []


def test_many_mails_go_over_a_kept_connection(tmp_path: Path) -> None:
    with MailServer() as mail, CoalMine(tmp_path / "server", ini=ini(mail)) as server:
        for number in range(15):
            server.call("create", name=f"Kept {number}", periodicity="1", email="a@example.test")
        until("all mails", lambda: len(mail.messages) == 15)

    assert len(mail.sessions) < 15
