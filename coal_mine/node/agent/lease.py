"""The right of this node to start runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from coal_mine.clock import monotonic
from coal_mine.domain.errors import Conflict, StoreUnavailable
from coal_mine.domain.node import BEAT, LEASE, LEASE_MARGIN, Node
from coal_mine.domain.ports import Clock, Store
from coal_mine.node.spool.spool import Spool

_log = logging.getLogger(__name__)


class Lease:
    """Renewed by each heartbeat that the store has taken, from the moment in which it was sent; ends by itself, on this machine's clock."""

    def __init__(self) -> None:
        self._ends = 0.0
        self.term = 0  # raised when a lease begins after another one has ended: what was claimed before may have passed to others

    @property
    def is_held(self) -> bool:
        """With room for what is started on the strength of it."""
        return monotonic() < self._ends - LEASE_MARGIN.total_seconds()

    @property
    def has_ended(self) -> bool:
        return monotonic() >= self._ends

    def renew(self, sent: float) -> float:
        """When it ends now, in seconds of the monotonic clock."""
        self._ends = sent + LEASE.total_seconds()
        return self._ends

    def give_up(self) -> None:
        self._ends = 0.0


class NodeBeat:
    """A step: shows that the node lives, and renews its lease."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        spool: Spool,
        lease: Lease,
        introduce: Callable[[datetime], Node],
        *,
        running: Callable[[], int],
        lapsed: Callable[[], None],
    ) -> None:
        """`introduce` makes of the time of the start this node; `lapsed` is called before a lease begins after another one has ended."""
        self._store = store
        self._clock = clock
        self._spool = spool
        self._lease = lease
        self._introduce = introduce
        self._running = running
        self._lapsed = lapsed
        self._me: Node | None = None
        self._seen_at: datetime | None = None  # at the latest beat that was taken
        self._refused = ""

    def run_once(self, now: datetime) -> datetime | None:
        sent = monotonic()
        seen_at = self._clock.now()  # afterwards, so that others wait for longer than we go on, even if we are stopped in between
        self._me = replace(self._me or self._introduce(now), seen_at=seen_at, running=self._running())
        try:
            self._me = self._store.nodes.beat(self._me)
        except Conflict as error:
            self._lease.give_up()
            if str(error) != self._refused:  # once is enough in the log
                _log.error("this node starts nothing: %s", error, extra={"action": "node_name_taken"})
            self._refused = str(error)
            return now + BEAT
        self._refused = ""
        if self._lease.has_ended or self._has_slept(seen_at):
            self._lease.term += 1  # in this order: whatever is claimed is either seen now, or sees the new term
            self._lapsed()
        self._seen_at = seen_at
        self._spool.renew_lease(self._lease.renew(sent))
        return now + BEAT

    def _has_slept(self, now: datetime) -> bool:
        """A machine that is suspended stops its monotonic clock, and with it the end of the lease; the others' clocks go on."""
        return self._seen_at is not None and now - self._seen_at >= LEASE

    @property
    def is_accepted(self) -> bool:
        """The store has taken the last beat."""
        return not self._refused

    @property
    def node(self) -> Node | None:
        """As the store had it at the last beat; None before the first."""
        return self._me

    def end(self) -> None:
        """A clean end. With runs under way the node goes on holding its lease: its supervisors do, and it may be back in a moment.

        If it is not, that is told of its runs.
        """
        self._lease.give_up()
        if self._me:
            with suppress(StoreUnavailable):  # then the others wait for the end of the lease
                self._store.nodes.end(self._me.name, self._me.boot, keeps_lease=self._running() > 0)
