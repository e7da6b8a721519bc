"""Nodes: machines that run jobs. Pools: named groups of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .alert import OPERATORS, Alert, Kind
from .job import Definition
from .seen import Seen
from .times import to_millis

BEAT = timedelta(seconds=5)
# A node that has not been seen for so long holds no lease: it may start nothing, and others may speak for its runs.
LEASE = timedelta(seconds=30)
# It stops by itself so long before, and others wait so long after, for what is under way and for clocks.
LEASE_MARGIN = timedelta(seconds=5)
# In mode all, a node that was seen within this time gets its runs.
REGISTERED = timedelta(hours=24)
ANYBODY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Seen):
    """A node as it announces itself, and what operators want of it."""

    name: str
    pools: tuple[str, ...]
    users: tuple[str, ...]  # as whom it runs commands; ANYBODY: as everybody but root. The first is whom a job without a user gets
    timezone: str
    slots: int  # runs at once
    cpus: float  # 0: not counted
    mem: float  # MB; 0: not counted
    host: str
    pid: int
    boot: str  # of the machine and the spool: with another one, what ran before is gone
    version: str
    started_at: datetime
    runners: tuple[str, ...] = ()  # the names of those that it has beside commands, see Definition.runner_name
    running: int = 0
    draining: bool = False  # an operator's wish: it takes no more runs
    ended: bool = False  # it has said that it stops, and was not seen since

    def is_alive(self, now: datetime) -> bool:
        return now - self.seen_at < LEASE

    def has_lost_its_lease(self, now: datetime) -> bool:
        return now - self.seen_at >= LEASE + LEASE_MARGIN

    def has_stopped(self, now: datetime) -> bool:
        """Without a clean end, and without anybody's wish that it take no more runs."""
        return not self.ended and not self.draining and self.has_lost_its_lease(now)

    def is_registered(self, now: datetime) -> bool:
        return now - self.seen_at < REGISTERED

    def serves(self, pools: Collection[str]) -> bool:
        return any(pool in pools for pool in self.pools)

    def may_run_as(self, user: str) -> bool:
        """An empty user is the node's own."""
        return not user or user in self.users or (ANYBODY in self.users and user != "root")

    def has_runner(self, name: str) -> bool:
        """An empty name is none that it would need to have."""
        return not name or name in self.runners

    def may_run(self, definition: Definition) -> bool:
        return self.may_run_as(definition.user) and self.has_runner(definition.runner_name)

    def can_ever_fit(self, cpus: float, mem: float) -> bool:
        """Could a run that needs so much start here when nothing else runs?"""
        return (not self.cpus or cpus <= self.cpus) and (not self.mem or mem <= self.mem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """What operators have switched off for all nodes."""

    execution_enabled: bool = True
    paused_pools: frozenset[str] = frozenset()


def node_stopped_alert(node: Node, *, operators: tuple[str, ...]) -> Alert:
    """The same for everybody who notices this stop."""
    detail = (
        "It starts nothing until it is back, and whether what it had started goes on, nobody knows.\n\n"
        "It has died, hangs or is cut off from the store. Look at its log. You will hear when it is back.\n"
        f"If it never will be, say so: cmcli node remove {node.name}"
    )
    return _alert(node, Kind.STOPPED, node.seen_at, operators, detail, event="")


def node_resumed_alert(node: Node, stopped_after: datetime, *, operators: tuple[str, ...]) -> Alert:
    """The same for everybody who notices the end of this stop."""
    at = node.started_at if node.started_at > stopped_after else node.seen_at
    detail = "Its log, and that of its machine, may tell what held it up or cut it off from the store."
    return _alert(node, Kind.RESUMED, at, operators, detail, event=f"after {to_millis(stopped_after)}")


def _alert(node: Node, kind: Kind, at: datetime, operators: tuple[str, ...], detail: str, event: str) -> Alert:
    name = f"node {node.name} on {node.host}"
    return Alert(
        kind=kind, about=node.name, name=name, at=at, deadline=None, emails=operators, channel=OPERATORS, detail=detail, event=event
    )


def pools_of(nodes: Sequence[Node], now: datetime) -> dict[str, list[str]]:
    """The registered nodes of each pool, by name."""
    found: dict[str, list[str]] = {}
    for node in sorted(nodes, key=lambda node: node.name):
        for pool in node.pools if node.is_registered(now) else ():
            found.setdefault(pool, []).append(node.name)
    return dict(sorted(found.items()))
