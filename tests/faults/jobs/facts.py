"""What a scenario has seen of its jobs: the records that the API shows, the lines that the jobs wrote, the mails that arrived."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any, NamedTuple

from tests.support.mail import body

# What a job does that the checker can follow. $NOTES is where it writes; each line is one write at the end of the file.
NOTE = 'read -r up idle < /proc/uptime; echo "{word} $JOB_RUN_ID $JOB_EPOCH $up" >> "$NOTES"'
START, ALIVE, END = (NOTE.format(word=word) for word in ("start", "alive", "end"))

_WRONG = re.compile(
    r"The job .+ \(canary ([a-z]{8})\) (failed|had not been started in time: this was found|was lost sight of) at (\S+)\.$", re.MULTILINE
)
_KINDS = {"failed": "FAILED", "was lost sight of": "LOST"}
_RUN = re.compile(r"^Run (\S+?)(?: on node \S+)?: ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A job of the scenario."""

    id: str
    canary: str
    ticks: Sequence[datetime] = ()  # those that must have left a record
    slots: Sequence[str] = ("any",)
    alone: bool = True  # no two of its runs at once
    tells_all: bool = True  # alerts every failure, not only the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A run as the API shows it."""

    id: str
    job: str
    tick: datetime
    slot: str
    origin: str
    state: str
    epoch: int
    attempt: int
    reason: str
    start_by: datetime
    ended_at: datetime | None


class Note(NamedTuple):
    """A line that a job wrote."""

    word: str
    run: str
    epoch: int
    up: float  # seconds of the machine's clock that nobody sets


@dataclass(frozen=True, slots=True)
class Told:
    """One bad end, as a mail tells it."""

    kind: str
    canary: str
    at: datetime
    run: str  # empty in a digest
    arrived_at: datetime | None = None


def record_of(shown: dict[str, Any]) -> Record:
    ended_at = shown["ended_at"]
    return Record(
        id=shown["id"],
        job=shown["job"],
        tick=datetime.fromisoformat(shown["scheduled_at"]),
        slot=shown["slot"],
        origin=shown["origin"],
        state=shown["state"],
        epoch=shown["epoch"],
        attempt=shown["attempt"],
        reason=shown["reason"],
        start_by=datetime.fromisoformat(shown["start_by"]),
        ended_at=ended_at and datetime.fromisoformat(ended_at),
    )


def notes_in(text: str) -> list[Note]:
    """In the order in which they were written."""
    found = []
    for line in text.splitlines():
        word, run, epoch, up = line.split(" ")
        found.append(Note(word, run, int(epoch), float(up)))
    return found


def told_by(mails: Iterable[tuple[EmailMessage, datetime | None]]) -> Iterator[Told]:
    """In the order of arrival; a digest tells many."""
    for mail, arrived_at in mails:
        text = body(mail)
        run = _RUN.search(text)
        for canary, verb, at in _WRONG.findall(text):
            yield Told(_KINDS.get(verb, "MISSED"), canary, datetime.fromisoformat(at), run[1] if run else "", arrived_at)
