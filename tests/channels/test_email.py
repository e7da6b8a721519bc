"""The channel that keeps a connection to a mail server, and what it makes of the other side's answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from coal_mine.channels.email import EmailChannel
from coal_mine.config import EmailConfig, Tls
from coal_mine.domain.errors import DeliveryRefused
from coal_mine.domain.message import Message
from tests.channels.test_dialogue import PipeliningServer
from tests.support.edges import NOW

MESSAGE = Message(id="an id", at=NOW, subject="A subject", body="A body\n", told=("a line",))


class EagerServer(PipeliningServer):
    """Waits for a mail, and would take an empty one, although it has refused its only recipient."""

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self.answers.get(address, "250 OK")


@pytest.fixture
def mail() -> Iterator[EagerServer]:
    with EagerServer() as running:
        yield running


@pytest.fixture
def channel(mail: EagerServer) -> Iterator[EmailChannel]:
    settings = EmailConfig(sender="cm@example.com", host="127.0.0.1", port=mail.port, username="", password="", tls=Tls.NO)
    with closing(EmailChannel(settings)) as opened:
        yield opened


def test_a_server_that_waits_for_a_mail_to_nobody_gets_none_and_the_next_one_gets_his(mail: EagerServer, channel: EmailChannel) -> None:
    mail.answers["gone@example.com"] = "550 no such user"
    with pytest.raises(DeliveryRefused, match="550 no such user"):
        channel.send("gone@example.com", MESSAGE)
    channel.send("jo@example.com", MESSAGE)

    assert [envelope.rcpt_tos for envelope in mail.envelopes] == [["jo@example.com"]]


@pytest.mark.parametrize("address", ['"ba@[\x0b', "jo", "", "jo@@example.com", "\udc80@example.com"])
def test_what_is_no_address_is_refused_whatever_the_library_makes_of_it(mail: EagerServer, channel: EmailChannel, address: str) -> None:
    with pytest.raises(DeliveryRefused, match="is not a mail address"):
        channel.send(address, MESSAGE)

    assert mail.envelopes == []
