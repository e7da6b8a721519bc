"""A mail and the servers that it is brought to: those that take its announcement at once, and those that want to answer each line."""

from __future__ import annotations

import smtplib
import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from coal_mine.channels.dialogue import deliver
from tests.support.mail import MailServer

ANNOUNCED = [b"MAIL FROM:<cm@example.com>\r\n", b"RCPT TO:<jo@example.com>\r\n", b"DATA\r\n"]
MAIL = b"Subject: A subject\r\n\r\n.\r\n..two\r\nend\r\n"


class PipeliningServer(MailServer):
    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: Sequence[str]
    ) -> Sequence[str]:
        session.host_name = hostname  # type: ignore[assignment]  # aiosmtpd leaves it to this method
        return [responses[0], "250-PIPELINING", *responses[1:]]


@pytest.fixture(params=[MailServer, PipeliningServer], ids=["plain", "pipelining"])
def mail(request: pytest.FixtureRequest) -> Iterator[MailServer]:
    with request.param() as running:
        yield running


@contextmanager
def connected(port: int) -> Iterator[smtplib.SMTP]:
    with closing(smtplib.SMTP("127.0.0.1", port, timeout=20)) as connection:
        yield connection


def test_a_mail_arrives_byte_for_byte(mail: MailServer) -> None:
    with connected(mail.port) as connection:
        deliver(connection, "cm@example.com", "jo@example.com", MAIL)

    (envelope,) = mail.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos, envelope.content) == ("cm@example.com", ["jo@example.com"], MAIL)


def test_a_recipient_who_is_refused_is_told_apart_and_the_next_one_gets_his_mail(mail: MailServer) -> None:
    mail.answers["gone@example.com"] = "550 no such user"
    with connected(mail.port) as connection:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
            deliver(connection, "cm@example.com", "gone@example.com", MAIL)
        deliver(connection, "cm@example.com", "jo@example.com", MAIL)

    assert refusal.value.recipients == {"gone@example.com": (550, b"no such user")}
    assert [envelope.rcpt_tos for envelope in mail.envelopes] == [["jo@example.com"]]


def test_a_recipient_with_letters_of_any_alphabet_gets_his_mail(mail: MailServer) -> None:
    with connected(mail.port) as connection:
        deliver(connection, "cm@example.com", "jo@exämple.com", MAIL)

    assert [envelope.rcpt_tos for envelope in mail.envelopes] == [["jo@exämple.com"]]


def test_a_server_that_knows_only_latin_letters_gets_no_others() -> None:
    with scripted() as (connection, heard), pytest.raises(smtplib.SMTPNotSupportedError):
        deliver(connection, "cm@example.com", "jo@exämple.com", MAIL)

    assert heard == [heard[0]]


class _Script(socketserver.StreamRequestHandler):
    """Answers each line with the next answer; after a 354 it first reads a mail."""

    def handle(self) -> None:
        server: Any = self.server
        for answer in server.script:
            self.wfile.write(answer + b"\r\n")
            while line := self.rfile.readline():
                server.heard.append(line)
                if not answer.startswith(b"354") or line == b".\r\n":
                    break
        self.connection.shutdown(socket.SHUT_WR)
        self.rfile.read()  # what is left unread would cut the connection before the answers are through


@contextmanager
def scripted(*answers: bytes) -> Iterator[tuple[smtplib.SMTP, list[bytes]]]:
    """A connection to a server that offers pipelining and then gives these answers; and what the server has heard."""
    with socketserver.TCPServer(("127.0.0.1", 0), _Script) as server:
        server.script = (b"220 here", b"250-here\r\n250 PIPELINING", *answers)  # type: ignore[attr-defined]
        server.heard = heard = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        try:
            with connected(server.server_address[1]) as connection:
                yield connection, heard
        finally:
            thread.join()


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        ((b"250 ok", b"550 no such user", b"354 go on"), smtplib.SMTPRecipientsRefused),
        ((b"550 not from you", b"250 ok", b"354 go on"), smtplib.SMTPSenderRefused),
    ],
    ids=["recipient", "sender"],
)
def test_a_server_that_waits_for_a_mail_that_it_has_refused_gets_none_not_even_an_empty_one(
    answers: tuple[bytes, ...], refusal: type[Exception]
) -> None:
    """What is sent next must not become a part of a mail, so the connection ends."""
    with scripted(*answers) as (connection, heard):
        with pytest.raises(refusal):
            deliver(connection, "cm@example.com", "jo@example.com", MAIL)
        is_left = connection.sock is None

    assert heard[1:] == ANNOUNCED
    assert is_left


def test_a_mail_that_the_server_did_not_ask_for_is_not_delivered() -> None:
    """It says that it has done what DATA demands, and has seen no mail."""
    with scripted(b"250 ok", b"250 ok", b"250 ok") as (connection, heard):
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            deliver(connection, "cm@example.com", "jo@example.com", MAIL)
        is_left = connection.sock is None

    assert refusal.value.smtp_code == 250
    assert heard[1:] == ANNOUNCED
    assert is_left


@pytest.mark.parametrize("answer", [b"250 ok", b"251 forwarded", b"252 not sure, will try"])
def test_a_recipient_who_is_accepted_in_other_words_gets_his_mail(answer: bytes) -> None:
    with scripted(b"250 ok", answer, b"354 go on", b"250 taken") as (connection, heard):
        deliver(connection, "cm@example.com", "jo@example.com", b"end\r\n")

    assert heard[1:] == [*ANNOUNCED, b"end\r\n", b".\r\n"]


def test_a_server_that_does_not_begin_anew_when_asked_to_is_left() -> None:
    answers = (b"250 ok", b"550 no such user", b"503 no recipients", b"421 closing")
    with scripted(*answers) as (connection, _):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            deliver(connection, "cm@example.com", "jo@example.com", MAIL)
        is_left = connection.sock is None

    assert is_left


def test_a_mail_that_is_refused_at_its_end_is_not_delivered() -> None:
    answers = (b"250 ok", b"250 ok", b"354 go on", b"554 looks like spam", b"250 reset")
    with scripted(*answers) as (connection, _), pytest.raises(smtplib.SMTPDataError) as refusal:
        deliver(connection, "cm@example.com", "jo@example.com", MAIL)

    assert (refusal.value.smtp_code, refusal.value.smtp_error) == (554, b"looks like spam")


def test_a_sender_who_is_refused_is_told_apart_from_what_follows() -> None:
    answers = (b"451 come again later", b"503 no sender", b"503 no sender", b"250 reset")
    with scripted(*answers) as (connection, _), pytest.raises(smtplib.SMTPSenderRefused) as refusal:
        deliver(connection, "cm@example.com", "jo@example.com", MAIL)

    assert refusal.value.smtp_code == 451


def test_a_server_that_goes_away_is_not_asked_further() -> None:
    with scripted(b"421 closing") as (connection, _), pytest.raises(smtplib.SMTPResponseException) as refusal:
        deliver(connection, "cm@example.com", "jo@example.com", MAIL)

    assert (refusal.value.smtp_code, refusal.value.smtp_error) == (421, b"closing")


def test_a_server_that_dies_in_the_middle_is_no_refusal() -> None:
    with scripted(b"250 ok", b"250 ok") as (connection, _), pytest.raises(smtplib.SMTPServerDisconnected):
        deliver(connection, "cm@example.com", "jo@example.com", MAIL)
