"""Server processes as the others see them: by their heartbeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .alert import OPERATORS, Alert, Kind
from .seen import Seen

# A background that has not been seen for so long has stopped.
LEASE = timedelta(seconds=30)
# How long a stop that nothing has made good is shown by /health.
SHOWN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server(Seen):
    """One process, from its start to its end. A clean end deletes it."""

    id: str  # host|pid|nonce; the nonce tells it from an earlier process with the same number
    host: str
    pid: int
    background: bool  # it watches deadlines and delivers alerts
    version: str
    started_at: datetime

    def has_stopped(self, now: datetime, lease: timedelta = LEASE) -> bool:
        """Whether a background has not been seen for a lease. It may have died, hang, or be cut off from the store."""
        return self.background and now - self.seen_at >= lease

    def is_alive(self, now: datetime, lease: timedelta = LEASE) -> bool:
        """Of a background."""
        return self.background and now - self.seen_at < lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Backgrounds:
    """How many processes watch and deliver."""

    alive: int
    stopped: int  # in the last hour, without a clean end and without another one that has started since


def stopped_alert(server: Server, *, others_alive: bool, operators: tuple[str, ...]) -> Alert:
    """The same for everybody who notices this stop, but for what it says of the others."""
    meaning = "No other background was alive: until one is, no canary becomes late and no alert of a canary leaves."
    if others_alive:
        meaning = "Another background is alive: deadlines are watched and alerts leave as before."
    advice = "It has died, hangs or is cut off from the store. Look at its log. You will hear if it comes back by itself."
    return _alert(server, Kind.STOPPED, server.seen_at, operators, f"{meaning}\n\n{advice}")


def resumed_alert(server: Server, at: datetime, *, operators: tuple[str, ...]) -> Alert:
    detail = "It had not died. Its log, and that of its machine, may tell what held it up or cut it off from the store."
    return _alert(server, Kind.RESUMED, at, operators, detail)


def _alert(server: Server, kind: Kind, at: datetime, operators: tuple[str, ...], detail: str) -> Alert:
    name = f"background process {server.pid} on {server.host}"
    return Alert(kind=kind, about=server.id, name=name, at=at, deadline=None, emails=operators, channel=OPERATORS, detail=detail)


def backgrounds(servers: Sequence[Server], now: datetime, lease: timedelta) -> Backgrounds:
    alive = sum(server.is_alive(now, lease) for server in servers)
    ends = [(each.seen_at, +1) for each in servers if each.has_stopped(now, lease) and now - each.seen_at < SHOWN]
    # Nobody starts after he was last seen, but times of two primaries may differ.
    starts = [(min(each.started_at, each.seen_at), -1) for each in servers if each.background]
    stopped = 0
    for _, change in sorted(ends + starts):  # each start makes up for one stop before it, whatever became of that one later
        stopped = max(stopped + change, 0)
    return Backgrounds(alive=alive, stopped=stopped)
