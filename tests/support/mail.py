"""A real SMTP server that keeps what it gets."""

from __future__ import annotations

import email
import socket
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.waiting import PATIENCE, until


def body(message: EmailMessage) -> str:
    """The text as it was written, before the line ends of the wire."""
    return str(message.get_content()).replace("\r\n", "\n")


class MailServer:
    """On a free port of 127.0.0.1. `answers` maps a recipient to the answer to its RCPT, instead of 250."""

    def __init__(self, **options: Any) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.answers: dict[str, str] = {}
        self.sessions: set[int] = set()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._options = options
        self._controller: Controller | None = None

    def __enter__(self) -> MailServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **self._options)
        self._controller.start()

    def stop(self) -> None:
        if self._controller:
            self._controller.stop()
            self._controller = None

    def subjects(self, to: str = "") -> list[str]:
        return [str(message["Subject"]) for message in list(self.messages) if not to or message["To"] == to]

    def wait_for(self, subject: str, seconds: float = PATIENCE) -> EmailMessage:
        def look() -> EmailMessage | None:
            return next((message for message in list(self.messages) if message["Subject"] == subject), None)

        found = until(f"a mail {subject!r}", look, seconds=seconds)
        assert found is not None
        return found

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.sessions.add(id(session))
        self.envelopes.append(envelope)
        self.messages.append(message)
        return "250 OK"
