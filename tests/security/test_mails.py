"""Names, addresses and comments that try to be more than text in a mail; a real mail server looks at the bytes."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import compat32
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.wire import exchange as answered
from tests.api.wire import form
from tests.support.mail import MailServer
from tests.support.server import CoalMine

HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}
NAMES = [
    "a\r\nBcc: victim@example.test",
    "a\nBcc: victim@example.test",
    "a\rBcc: victim@example.test",
    "a\r\n\r\nAnother body",
    "a\r\n.\r\nMAIL FROM:<x@example.test>",
    "a\N{LINE SEPARATOR}Bcc: victim@example.test",
    "a\x85Bcc: victim@example.test",
    "a\x0bBcc: victim@example.test",
    "a\0b",
    "=?utf-8?q?a=0D=0ABcc:_victim@example.test?=",
    "=?utf-8?b?YQ0KQmNjOiB2aWN0aW1AZXhhbXBsZS50ZXN0?=",
    "a\N{SNOWMAN}, Bcc: victim@example.test",
    "Bcc: victim@example.test",
    ".",
    ". a",
    "a " * 127,
    "\N{SNOWMAN} a" * 60,
    "\N{RIGHT-TO-LEFT OVERRIDE}a",
    "\N{FULLWIDTH COLON}a\N{FULLWIDTH LESS-THAN SIGN}",
]
ADDRESSES = [
    "a@example.test\r\nBcc: victim@example.test",
    "a@example.test>\r\nRCPT TO:<victim@example.test",
    "a@example.test, victim@example.test",
    "a@example.test victim@example.test",
    "<a@example.test>,<victim@example.test>",
    '"victim@example.test "@example.test',
    "a@example.test SIZE=1",
    "victim%example.test@[127.0.0.1]",
    "=?utf-8?q?victim=40example.test=2C?=@example.test",
    "a@example.test\N{LINE SEPARATOR}.test",
    "\0a@example.test",
]
COMMENTS = [
    "\r\n.\r\nMAIL FROM:<x@example.test>\r\nRCPT TO:<victim@example.test>\r\nDATA\r\n",
    "\n.\n",
    "\r.\r",
    "..\n.\n..",
    "--boundary\nContent-Type: text/html\n\n<script>",
    "x" * 4_000,
    "From me\nFrom you",
]


@pytest.fixture(scope="module")
def mailing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CoalMine, MailServer]]:
    with MailServer(enable_SMTPUTF8=True) as mail:
        email = f"[email]\nsender = cm@example.test\nhost = 127.0.0.1\nport = {mail.port}\n"
        ini = f"{email}[alerts]\ndigest_above = 1000\n[wsgi]\nhost = 127.0.0.1\n"
        with CoalMine(tmp_path_factory.mktemp("mailing"), ini=ini) as server:
            yield server, mail


def _created(server: CoalMine, **fields: str) -> Any:
    """None when it is refused."""
    answer = answered(server, form("create", urlencode({"periodicity": "0.001", "email": "a@example.test"} | fields).encode()))
    assert answer.status in (200, 400, 409)
    return answer.json["canary"] if answer.status == 200 else None


def _until_mailed(mail: MailServer, server: CoalMine, marker: str) -> None:
    """Mails of one receiver leave in order."""
    _created(server, name=marker)
    mail.wait_for(f"[LATE] {marker} has not reported")


def _assert_plain(mail: MailServer) -> None:
    """Each is one mail with our headers only, once each, to the one receiver that its envelope names."""
    for envelope in list(mail.envelopes):
        assert isinstance(envelope.content, bytes)
        read = message_from_bytes(envelope.content, policy=compat32)
        assert sorted(read.keys()) == sorted(HEADERS)
        assert not read.is_multipart()
        assert read.get_content_type() == "text/plain"
        assert read.defects == []
        assert envelope.rcpt_tos == [read["To"]]
        assert max(map(len, envelope.content.split(b"\r\n"))) <= 998
        assert b"\n" not in envelope.content.replace(b"\r\n", b"")
        assert b"\r" not in envelope.content.replace(b"\r\n", b"")
        assert "victim@example.test" not in envelope.rcpt_tos


def test_hostile_names_stay_names(mailing: tuple[CoalMine, MailServer]) -> None:
    server, mail = mailing
    before = len(mail.envelopes)
    made = [canary for name in NAMES if (canary := _created(server, name=name))]
    _until_mailed(mail, server, "Marker after the names")

    assert len(mail.envelopes) - before == len(made) + 1
    assert len(made) > 5
    _assert_plain(mail)


def test_hostile_addresses_get_no_mail_to_others(mailing: tuple[CoalMine, MailServer]) -> None:
    server, mail = mailing
    made = [canary for number, address in enumerate(ADDRESSES) if (canary := _created(server, name=f"Address {number}", email=address))]
    _until_mailed(mail, server, "Marker after the addresses")

    _assert_plain(mail)
    assert [canary["emails"] for canary in made] == [["=?utf-8?q?victim=40example.test=2C?=@example.test"]]


def test_hostile_comments_stay_lines_of_the_history(mailing: tuple[CoalMine, MailServer]) -> None:
    server, mail = mailing
    for number, comment in enumerate(COMMENTS):
        canary = _created(server, name=f"Comment {number}", periodicity="1.5")
        assert server.get(f"/{canary['id']}", comment=comment).status_code == 200
        mail.wait_for(f"[LATE] Comment {number} has not reported")
    bodies = [message.get_content() for message in mail.messages if "Comment" in message["Subject"]]

    _assert_plain(mail)
    assert len(bodies) == len(COMMENTS)
    assert all(text.count(" Triggered (") == 1 for text in bodies)
