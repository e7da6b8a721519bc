"""The native API of nodes and pools, and the switch for all execution."""

from __future__ import annotations

from typing import Any

from coal_mine.domain.fields import Fields
from coal_mine.domain.times import isoformat
from coal_mine.services.cluster import Cluster, Pool, ShownNode, SwitchedPool

from .operations import Body, Call, Operation, Reply

_NODE = Reply(status=200, description="The node.", schema="Node")
_POOL = Reply(status=200, description="The pool.", schema="SwitchedPool")
_EXECUTION = Reply(status=200, description="Whether runs are started.", schema="Execution")


class NodeRoutes:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def operations(self) -> list[Operation]:
        return [*self._of_nodes(), *self._of_all()]

    def _of_nodes(self) -> list[Operation]:
        return [
            Operation(
                method="GET", path="/nodes", name="listNodes", summary="All nodes, by name.", handle=self.list,
                replies=(Reply(status=200, description="The nodes.", schema="NodeList"),),
            ),
            Operation(method="GET", path="/nodes/{node}", name="getNode", summary="One node.", handle=self.get, replies=(_NODE,)),
            Operation(
                method="DELETE", path="/nodes/{node}", name="removeNode", summary="Forget a node that is gone.", handle=self.remove,
                replies=(
                    Reply(status=200, description="It is forgotten.", schema="Done"),
                    Reply(status=409, description="The node is alive.", schema="Error"),
                ),
            ),
            Operation(
                method="POST", path="/nodes/{node}/drain", name="drainNode", summary="Let it take no more runs.", handle=self.drain,
                replies=(_NODE,),
            ),
            Operation(
                method="POST", path="/nodes/{node}/undrain", name="undrainNode", summary="Let it take runs again.", handle=self.undrain,
                replies=(_NODE,),
            ),
        ]  # fmt: skip

    def _of_all(self) -> list[Operation]:
        return [
            Operation(
                method="GET", path="/pools", name="listPools", summary="Pools with their registered nodes.", handle=self.pools,
                replies=(Reply(status=200, description="The pools.", schema="PoolList"),),
            ),
            Operation(
                method="POST", path="/pools/{pool}/pause", name="pausePool", summary="Start nothing that only this pool could run.",
                handle=self.pause, replies=(_POOL,),
            ),
            Operation(
                method="POST", path="/pools/{pool}/unpause", name="unpausePool", summary="Start runs of this pool again.",
                handle=self.unpause, replies=(_POOL,),
            ),
            Operation(
                method="GET", path="/execution", name="getExecution", summary="Are runs started at all?", handle=self.execution,
                replies=(_EXECUTION,),
            ),
            Operation(
                method="PUT", path="/execution", name="switchExecution", summary="Start no runs on any node, or start them again.",
                handle=self.switch, body=Body(schema="Execution"), replies=(_EXECUTION,),
            ),
        ]  # fmt: skip

    def list(self, _: Call) -> Any:
        return {"nodes": [node_json(shown) for shown in self._cluster.nodes()]}

    def get(self, call: Call) -> Any:
        return node_json(self._cluster.node(call.path["node"]))

    def remove(self, call: Call) -> Any:
        self._cluster.remove(call.path["node"])
        return {"status": "ok"}

    def drain(self, call: Call) -> Any:
        return node_json(self._cluster.drain(call.path["node"]))

    def undrain(self, call: Call) -> Any:
        return node_json(self._cluster.undrain(call.path["node"]))

    def pools(self, _: Call) -> Any:
        return {"pools": [_pool_json(pool) for pool in self._cluster.pools()]}

    def pause(self, call: Call) -> Any:
        return _switched_json(self._cluster.pause_pool(call.path["pool"]))

    def unpause(self, call: Call) -> Any:
        return _switched_json(self._cluster.unpause_pool(call.path["pool"]))

    def execution(self, _: Call) -> Any:
        return {"enabled": self._cluster.execution_enabled}

    def switch(self, call: Call) -> Any:
        fields = Fields(call.body)
        if not fields.has("enabled"):
            raise fields.error("enabled", "is missing")
        enabled = fields.flag("enabled", default=True)
        fields.refuse_rest()
        return {"enabled": self._cluster.switch_execution(enabled=enabled, by=call.by)}


def node_json(shown: ShownNode) -> dict[str, Any]:
    node = shown.node
    return {
        "name": node.name,
        "alive": shown.alive,
        "draining": node.draining,
        "running": node.running,
        "pools": list(node.pools),
        "users": list(node.users),
        "runners": list(node.runners),
        "timezone": node.timezone,
        "slots": node.slots,
        "cpus": node.cpus,
        "mem": node.mem,
        "host": node.host,
        "pid": node.pid,
        "version": node.version,
        "started_at": isoformat(node.started_at),
        "seen_at": isoformat(node.seen_at),
    }


def _switched_json(switched: SwitchedPool) -> dict[str, Any]:
    return {**_pool_json(switched.pool), "warnings": switched.warnings}


def _pool_json(pool: Pool) -> dict[str, Any]:
    return {"name": pool.name, "nodes": pool.nodes, "paused": pool.paused}
