"""/status, /cluster/status and /cluster/pools. There is no leader; where one is asked for, it is the first live node by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coal_mine.services.cluster import Cluster, ShownNode
from coal_mine.services.runs import Runs

from .calls import Call, Route
from .processes import of_tasks, process_id, process_json


class StatusRoutes:
    def __init__(self, cluster: Cluster, runs: Runs, timezone: str) -> None:
        self._cluster = cluster
        self._runs = runs
        self._timezone = timezone

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/status", self.status),
            Route("GET", "/cluster/status", self.cluster),
            Route("GET", "/cluster/pools", self.pools),
        ]

    def status(self, call: Call) -> Any:
        """Of the node for which is answered; where there is none at all, of one without a name that does nothing."""
        shown = call.node
        node, alive = (shown.node, shown.alive) if shown else (None, False)
        return {
            "name": node.name if node else "",
            "address": node.host if node else "",
            "pools": list(node.pools) if node else [],
            "leader": node is not None and node.name == _leader(self._cluster.nodes()),
            "cluster_joined": alive,
            "pools_joined": alive,
            "contending_for_lead": alive,
            "scheduler_running": alive,
            "execution_enabled": node is not None and not node.draining and self._cluster.execution_enabled,
            "running_processes": self._processes(node.name) if node else {},
            "timezone": self._timezone,  # in which the process that answers reads tasks, whoever the node is
        }

    def _processes(self, node: str) -> dict[str, Any]:
        return {process_id(run.id): process_json(run) for run in of_tasks(self._runs.live(node=node))}

    def cluster(self, _: Call) -> Any:
        nodes = self._cluster.nodes()
        alive = {shown.node.name: {"address": shown.node.host, "pools": list(shown.node.pools)} for shown in nodes if shown.alive}
        return {"nodes": alive, "leader": _leader(nodes)}

    def pools(self, _: Call) -> Any:
        """Of live nodes."""
        alive = [shown.node for shown in self._cluster.nodes() if shown.alive]
        names = sorted({pool for node in alive for pool in node.pools})
        return {pool: [node.name for node in alive if pool in node.pools] for pool in names}


def _leader(nodes: Sequence[ShownNode]) -> str | None:
    """By name; without any power."""
    return next((shown.node.name for shown in nodes if shown.alive), None)
