"""A real SMTP server that can be in a bad mood."""

from __future__ import annotations

import asyncio
from collections import Counter
from enum import StrEnum

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.mail import MailServer

SLOW_SECONDS = 0.05


class Mood(StrEnum):
    GOOD = "good"
    SLOW = "slow"  # 50 ms for each mail
    BUSY = "busy"  # 451 for each mail
    CUTS_DATA = "cuts data"  # closes the connection in the middle of a mail
    CUTS_ANSWER = "cuts answer"  # takes the mail and closes the connection instead of saying so
    HOLDS = "holds"  # takes the mail and says so only when the mood is over


class MoodyMailServer(MailServer):
    """`moods` counts the mails that met each mood."""

    mood = Mood.GOOD

    def __init__(self) -> None:
        super().__init__()
        self.moods: Counter[Mood] = Counter()

    def start(self) -> None:
        self._controller = _Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mood = self.mood
        self.moods[mood] += 1
        if mood is Mood.BUSY:
            return "451 come again later"
        if mood is Mood.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        answer = await super().handle_DATA(server, session, envelope)
        if mood is Mood.CUTS_ANSWER:
            raise _hung_up(server)
        while mood is Mood.HOLDS is self.mood:
            await asyncio.sleep(0.01)
        return answer


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Smtp(self.handler)


class _Smtp(SMTP):
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        server = self.event_handler
        if server.mood is not Mood.CUTS_DATA:
            await super().smtp_DATA(arg)
            return
        server.moods[Mood.CUTS_DATA] += 1
        await self.push("354 go on")
        await self._reader.readuntil(b"\r\n")
        raise _hung_up(self)


def _hung_up(server: SMTP) -> asyncio.CancelledError:
    """What aiosmtpd itself raises in a command when the connection is gone."""
    assert isinstance(server.transport, asyncio.WriteTransport)
    server.transport.abort()
    return asyncio.CancelledError()
