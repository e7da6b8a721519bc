"""What a scenario has seen from outside: triggers that were sent, mails that arrived, histories that the API shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage

from tests.support.mail import body

_TOLD = re.compile(r"The canary .+ \(([a-z]{8})\) (was expected to report before|is reporting again as of) (\S+)\.$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sent:
    """One trigger as its client saw it."""

    canary: str
    comment: str  # never the same one twice
    sent_at: datetime
    answered_at: datetime
    status: int | None  # None: the connection broke, so nobody knows what became of it

    @property
    def acknowledged(self) -> bool:
        return self.status == 200


@dataclass(frozen=True, slots=True)
class Told:
    """One change of one canary, as one receiver's mail tells it."""

    receiver: str
    message_id: str
    kind: str
    canary: str
    at: datetime  # LATE: the deadline; RESUMED: the trigger


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    text: str


@dataclass(slots=True)
class Watched:
    """A canary of the scenario and what the API says of it at the end."""

    id: str
    period: timedelta
    receivers: list[str]
    history: list[Event] = field(default_factory=list)  # oldest first
    late: bool = False


def told_by(mails: Iterable[EmailMessage]) -> Iterator[Told]:
    """In the order of arrival; a digest tells many."""
    for mail in mails:
        for canary, verb, at in _TOLD.findall(body(mail)):
            kind = "LATE" if verb.startswith("was") else "RESUMED"
            yield Told(str(mail["To"]), str(mail["Message-ID"]), kind, canary, datetime.fromisoformat(at))


def watched_from(canary: Watched, shown: dict[str, object]) -> Watched:
    """With what an answer of the API shows."""
    history = shown["history"]
    assert isinstance(history, list)
    canary.history = [Event(datetime.fromisoformat(at), text) for at, text in reversed(history)]
    canary.late = bool(shown["late"])
    return canary
