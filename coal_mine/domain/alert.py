"""Alerts: what a change of state owes to its receivers, and the deliveries into which it is expanded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .times import to_millis


class Kind(StrEnum):
    LATE = "LATE"  # the deadline passed without a trigger
    RESUMED = "RESUMED"  # a late canary was triggered again, or a server or node that had stopped is back
    FAILED = "FAILED"  # a run of the job has failed
    MISSED = "MISSED"  # nobody has started a run of the job in time
    LOST = "LOST"  # nothing is heard of the node that runs the job
    REPORT = "REPORT"  # a run has ended, and somebody wants to read about it
    ENDED = "ENDED"  # a run has ended, and Elasticsearch is to have its documents
    AUDITED = "AUDITED"  # a job was changed, and Elasticsearch is to have the document
    STOPPED = "STOPPED"  # a background or a node has not been seen for a lease and did not end cleanly


class DeliveryState(StrEnum):
    WAITING = "waiting"  # not yet taken by the other side; will be tried (again)
    DELIVERED = "delivered"  # the other side took it
    REFUSED = "refused"  # the other side will never take it for this receiver


@dataclass(frozen=True, slots=True, order=True)
class Receiver:
    """Where an alert goes: an address on a channel."""

    channel: str
    address: str

    def __str__(self) -> str:
        return f"{self.channel}|{self.address}"


EMAIL = "email"
# People who look after Coal Mine itself. A channel of their own: their alerts neither wait behind a storm for the same address nor join it.
OPERATORS = "operators"
# Mail about single runs. A channel of its own: who reads them wants each, not a digest.
REPORTS = "reports"
LOG = Receiver("log", "log")
# Documents, of which whoever sends them makes requests of his own. There is one Elasticsearch; its name is for the log.
ELASTICSEARCH = Receiver("elasticsearch", "Elasticsearch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One change of state that somebody must hear of. Its facts and receivers are fixed at the change."""

    kind: Kind
    about: str  # the id of the canary or of the server, the node's name, or the id of the run or of what was changed
    name: str  # in the words of the message
    at: datetime  # when the state changed
    deadline: datetime | None  # LATE: the one that passed; RESUMED: the next one
    emails: tuple[str, ...]
    channel: str = EMAIL  # by which the addresses are reached; OPERATORS for what concerns a server or a node
    detail: str = ""  # why, or what it means and what to do, in lines of its own
    event: str = ""  # what changed the state, where the time alone does not say it

    @property
    def id(self) -> str:
        """The same whoever writes it and however often: without an `event`, a state changes at most once in a millisecond."""
        return f"{self.about}|{self.kind}|{self.event or to_millis(self.at)}"

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """Those who want to know; the log, when nobody wants to hear of a canary. That one of ours has stopped is logged in any case."""
        named = tuple(Receiver(self.channel, address) for address in dict.fromkeys(self.emails))
        return named if named or self.channel == OPERATORS else (LOG,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One alert on its way to one receiver."""

    alert: Alert
    receiver: Receiver
    state: DeliveryState = DeliveryState.WAITING
    finished_at: datetime | None = None  # when it was delivered or refused
    error: str = ""  # what the other side said last, when it did not take it

    @property
    def id(self) -> str:
        return f"{self.alert.id}|{self.receiver}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to deliver to one receiver, for the length of a lease."""

    receiver: Receiver
    token: str  # names the holder; every later write of the claim is refused once another token is in force
    attempts: int  # failed tries since the last success
    batch: str | None  # deliveries that must leave as one digest, and always the same ones; None: one message each
    deliveries: tuple[Delivery, ...]  # oldest change first
