"""What the domain needs from outside: stores, clock, random names, channels.

Both stores pass one conformance suite, tests/stores. Every call may raise StoreUnavailable; then it is not known whether a change was
written, and all changes are made so that repeating them is harmless.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from .alert import Alert, Claim, Delivery, DeliveryState, Receiver
from .audit import AuditStore
from .canary import Canary, Entry, Transition, Triggered
from .job_ports import JobStore, NodeStore, OutputStore, RunStore
from .message import Message
from .pending import PendingTrigger
from .server import Server


class Clock(Protocol):
    def now(self) -> datetime:
        """The present in UTC, cut to milliseconds; the store's time where servers share one."""

    @property
    def is_known(self) -> bool:
        """False: `now` has to wait."""


class Ids(Protocol):
    def canary_id(self) -> str:
        """Eight random letters a-z, never the first word of one of our paths."""

    def job_id(self) -> str:
        """Twelve random small letters and digits, the first a letter."""

    def nonce(self) -> str:
        """A short random text that never comes twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryFilter:
    """Which canaries to list; None does not filter."""

    paused: bool | None = None
    late: bool | None = None


class CanaryStore(Protocol):
    """Canaries and their history. `history` gives the entries as they are stored; canary.kept_history applies the pruning rule."""

    def add(self, canary: Canary, entry: Entry) -> None:
        """Store a new canary and its first entry. Raises Conflict naming the holder if the slug is taken, IdTaken if the id is."""

    def get(self, canary_id: str) -> Canary:
        """Raises NotFound."""

    def followed(self, canary_ids: Collection[str]) -> dict[str, int]:
        """Of those that exist and belong to jobs: the version of its job that each follows."""

    def id_of_slug(self, slug: str) -> str:
        """Raises NotFound."""

    def select(self, wanted: CanaryFilter) -> Iterator[Canary]:
        """In the order of creation. Not a snapshot: a canary that changes meanwhile is shown in one of its states."""

    def history(self, canary_id: str, *, limit: int, until: datetime | None = None) -> list[Entry]:
        """The newest entries, newest first, not later than `until`; empty when there is no such canary."""

    def histories(self, canary_ids: Sequence[str], *, limit: int) -> dict[str, list[Entry]]:
        """As `history`, for many at once; without a key for those that have none."""

    def apply(self, transition: Transition) -> bool:
        """Write the changed fields, the entry and the alert together, if the canary still is as the transition depends on.

        False: it was not, nothing was changed (on MongoDB the entry may have been). Raises NotFound, and Conflict when a new slug is taken.
        """

    def remove(self, canary_id: str) -> None:
        """Delete the canary with its history; what it owes goes to the outbox first. Raises NotFound."""

    def trigger(self, canary_id: str, entry: Entry) -> Triggered:
        """Apply `canary.triggered`, whatever the state, and return when it is durable. Triggers of many threads are committed together.

        About every hundredth entry (see canary.prunes) also deletes what the pruning rule leaves out of this canary's history.
        Raises NotFound, and StoreUnavailable when it could not be committed within TRIGGER_SECONDS.
        """

    def submit(self, pending: PendingTrigger) -> None:
        """As `trigger`, without waiting: it is handed back later, perhaps after TRIGGER_SECONDS. Raises StoreUnavailable when closed."""

    def mark_late(self, now: datetime) -> int:
        """Mark late all that `Canary.is_due`, each atomically with the LATE alert that it owes; how many there were."""

    def next_deadline(self) -> datetime | None:
        """The earliest deadline of all canaries that are neither late nor paused."""


TRIGGER_SECONDS = 20.0


class Outbox(Protocol):
    """Alerts on their way. All state is in the store: whoever dies here is replaced by anybody when the lease ends."""

    def expand(self) -> int:
        """Turn owed alerts into deliveries, one per receiver, and clear them from their canaries; how many alerts there were.

        Repeating it after a crash makes no second delivery.
        """

    def add(self, alerts: Sequence[Alert]) -> None:
        """Turn alerts that no canary owes into deliveries, one per receiver. Repeated, it adds nothing: the first alert stands."""

    def claim(self, *, now: datetime, lease: timedelta, token: str, digest_above: int, channels: Sequence[str]) -> Claim | None:
        """The right to deliver to a receiver on one of these channels who has something waiting and due, and whom nobody else serves; the
        longest waiting first.

        With more than `digest_above` deliveries waiting, at most MAX_DIGEST of them are bound together as a batch, named `token`, for good:
        until all are finished, every claim of the receiver returns that same batch. Otherwise at most `digest_above` deliveries, no batch.
        """

    def claim_oldest(
        self, receiver: Receiver, *, now: datetime, lease: timedelta, token: str, limit: int, after: Delivery | None = None
    ) -> Claim | None:
        """As `claim`, for one receiver, and nothing is bound: the oldest so many, which may come again in other company.

        With `after` the oldest behind that one; from the beginning, if there are none or it is gone.
        """

    def finish(
        self, claim: Claim, deliveries: Sequence[Delivery], *, state: DeliveryState, now: datetime, lease: timedelta, error: str = ""
    ) -> bool:
        """Record that they were taken, or never will be, and prolong the lease.

        False: the claim has passed to somebody else. That they were taken is recorded even then, for it is true, and ends the repetitions
        by senders that are all slower than their leases; a refusal is not.
        """

    def discard(self, claim: Claim, deliveries: Sequence[Delivery], *, now: datetime, lease: timedelta) -> bool:
        """As `finish` of what was taken, but no record of them is kept."""

    def release(self, claim: Claim, *, retry_at: datetime | None, error: str = "") -> None:
        """Give the receiver back; with `retry_at` the try has failed and it is left alone until then. No effect on a claim lost."""

    def next_attempt(self, now: datetime, channels: Sequence[str]) -> datetime | None:
        """When `claim` may next have something: `now` if it may already, None if nothing is waiting."""

    def deliveries(self, *, limit: int) -> list[Delivery]:
        """The newest deliveries, newest change first."""

    def forget(self, before: datetime) -> int:
        """Delete deliveries that were finished before that time; how many."""

    def give_up(self, receiver: Receiver, before: datetime, *, limit: int) -> int:
        """Delete at most so many of what still waits for that receiver of changes before that time; how many."""


MAX_DIGEST = 10_000


class Servers(Protocol):
    """The heartbeats of all processes that share the store. Every write may be repeated, by anybody and in any order."""

    def beat(self, server: Server) -> None:
        """Record that the process lives, as of its `seen_at`; what was told of it stays. May recreate what `end` deleted."""

    def end(self, server_id: str) -> None:
        """Forget a process that ends cleanly, or ended long ago."""

    def all(self) -> list[Server]:
        """In the order of their starts."""

    def note_stopped(self, server_id: str, after: datetime) -> None:
        """Raise `stopped_after` to that time. No effect on a process that is forgotten."""

    def note_resumed(self, server_id: str, after: datetime) -> None:
        """Raise `resumed_after` to that time. No effect on a process that is forgotten."""


class OptionStore(Protocol):
    """The cluster's options that somebody has set. What they may be, services.options knows."""

    def all(self) -> dict[str, str]:
        """JSON texts by name."""

    def set(self, name: str, text: str) -> str | None:
        """What it was before; None: it was not set."""

    def unset(self, name: str) -> str | None:
        """What it was before; None: it was not set, nothing was changed."""


class Store(Protocol):
    """One opened database."""

    @property
    def canaries(self) -> CanaryStore: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def servers(self) -> Servers: ...

    @property
    def jobs(self) -> JobStore: ...

    @property
    def runs(self) -> RunStore: ...

    @property
    def nodes(self) -> NodeStore: ...

    @property
    def output(self) -> OutputStore: ...

    @property
    def audit(self) -> AuditStore: ...

    @property
    def options(self) -> OptionStore: ...

    def close(self) -> None:
        """Finish what was accepted, then let go. May be called twice."""


class Channel(Protocol):
    """A way to hand a message to a receiver."""

    name: str  # in the words of the log

    def send(self, address: str, message: Message) -> None:
        """Return when the other side has taken it. Raises DeliveryFailed (try again) or DeliveryRefused (never)."""

    def close(self) -> None:
        """Drop kept connections. May be called twice."""
