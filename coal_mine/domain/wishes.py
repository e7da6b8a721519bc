"""What operators want, and wanted a while ago."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .node import Node, Switches
from .run import Run
from .times import isoformat

# What was wanted before is of no use for longer: by then the runs that it held are judged.
_REMEMBERED = timedelta(days=1)
_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    switches: Switches
    draining: frozenset[str]  # names of nodes
    until: datetime | None = None  # None: still

    def hold(self, run: Run, alive: Sequence[Node]) -> str:
        """In words, how they keep every node from starting it; empty: they do not."""
        over = f" until {isoformat(self.until)}" if self.until else ""
        if not self.switches.execution_enabled:
            return f"the execution of jobs {'was' if over else 'is'} switched off{over}"
        if self.switches.paused_pools.issuperset(run.pools):
            return f"paused{over}: {in_words('pool', run.pools)}"
        if alive and all(node.name in self.draining for node in alive):
            return f"draining{over}: {in_words('node', [node.name for node in alive])}"
        return ""


def wished(before: Sequence[Wishes], nodes: Sequence[Node], switches: Switches, now: datetime) -> list[Wishes]:
    """Those that were known before, the latest last, with what is found now: it is what was wanted since the last look, at least."""
    latest = Wishes(switches=switches, draining=frozenset(node.name for node in nodes if node.draining))
    if before and before[-1] == latest:
        return list(before)
    ended = [replace(each, until=each.until or now) for each in before]
    known = [each for each in ended if each.until and each.until > now - _REMEMBERED]
    return [*known[-_MOST:], latest]


def held(run: Run, alive: Sequence[Node], wishes: Sequence[Wishes]) -> str:
    """In words, how operators have kept it from being started at any time since it was due, the latest first; empty: never."""
    since = [each for each in wishes if each.until is None or each.until > run.due_at]
    return next((words for each in reversed(since) if (words := each.hold(run, alive))), "")


def in_words(what: str, names: Sequence[str]) -> str:
    """The first of them, after the word for one."""
    more = " and others" if len(names) > 10 else ""
    return f"{what}{'s' if len(names) > 1 else ''} {', '.join(names[:10])}{more}"
