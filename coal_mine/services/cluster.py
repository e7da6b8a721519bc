"""What operators do with nodes, pools and execution as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from coal_mine.domain.definition import NAME, NAME_RULE
from coal_mine.domain.errors import Conflict, Invalid
from coal_mine.domain.job_ports import JobFilter
from coal_mine.domain.node import Node, pools_of
from coal_mine.domain.ports import Clock, Store

from .audit import OptionAudit
from .waking import nobody

# As the audit log names it.
EXECUTION = "execution_enabled"


@dataclass(frozen=True, slots=True)
class ShownNode:
    node: Node
    alive: bool


@dataclass(frozen=True, slots=True)
class Pool:
    name: str
    nodes: list[str]  # registered ones, by name
    paused: bool


@dataclass(frozen=True, slots=True)
class SwitchedPool:
    pool: Pool
    warnings: list[str]


class Cluster:
    """All of it holds for every process that shares the store, as soon as it looks."""

    def __init__(self, store: Store, clock: Clock, *, changed: Callable[[], None] = nobody) -> None:
        self._nodes = store.nodes
        self._jobs = store.jobs
        self._audit = OptionAudit(store.audit)
        self._clock = clock
        self._changed = changed

    def nodes(self) -> list[ShownNode]:
        """By name."""
        now = self._clock.now()
        return [ShownNode(node, node.is_alive(now)) for node in self._nodes.all()]

    def node(self, name: str) -> ShownNode:
        """Raises NotFound."""
        return self._shown(self._nodes.get(name))

    def drain(self, name: str) -> ShownNode:
        """Let it take no more runs; those that it has go on. Raises NotFound."""
        return self._set_draining(name, draining=True)

    def undrain(self, name: str) -> ShownNode:
        return self._set_draining(name, draining=False)

    def remove(self, name: str) -> None:
        """Forget a node that is gone. Raises NotFound, and Conflict when it lives."""
        if self.node(name).alive:
            raise Conflict(f"node {name} is alive: drain it, wait until it runs nothing, and stop it first")
        self._nodes.remove(name)
        self._changed()

    def pools(self) -> list[Pool]:
        """By name: those of registered nodes, and those that are paused."""
        paused = self._nodes.switches().paused_pools
        found = pools_of(self._nodes.all(), self._clock.now())
        return [Pool(name, found.get(name, []), name in paused) for name in sorted(paused | set(found))]

    def pause_pool(self, name: str) -> SwitchedPool:
        """Raises Invalid for what cannot be a pool's name. One that nobody has heard of may come later, and is more likely a slip."""
        pool = self._set_paused(name, paused=True)
        is_known = pool.nodes or self._jobs.count(JobFilter(pool=name))
        return SwitchedPool(pool, [] if is_known else [f"no node serves the pool {name} and no job names it"])

    def unpause_pool(self, name: str) -> SwitchedPool:
        return SwitchedPool(self._set_paused(name, paused=False), [])

    @property
    def execution_enabled(self) -> bool:
        return self._nodes.switches().execution_enabled

    def switch_execution(self, *, enabled: bool, by: str = "") -> bool:
        """For all nodes; what is under way goes on. `by` is who calls, for the audit log."""
        before = self._nodes.switch_execution(enabled=enabled)
        self._audit.changed(EXECUTION, json.dumps(before), json.dumps(enabled), by, self._clock.now())
        self._changed()
        return enabled

    def _set_draining(self, name: str, *, draining: bool) -> ShownNode:
        node = self._nodes.set_draining(name, draining=draining)
        self._changed()
        return self._shown(node)

    def _set_paused(self, name: str, *, paused: bool) -> Pool:
        if not NAME.fullmatch(name):
            raise Invalid(f"{name[:100]!r} is not a pool's name: {NAME_RULE}")
        switches = self._nodes.pause_pool(name, paused=paused)
        self._changed()
        nodes = pools_of(self._nodes.all(), self._clock.now()).get(name, [])
        return Pool(name, nodes, name in switches.paused_pools)

    def _shown(self, node: Node) -> ShownNode:
        return ShownNode(node, node.is_alive(self._clock.now()))
