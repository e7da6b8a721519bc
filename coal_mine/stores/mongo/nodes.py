"""Nodes in the collection `nodes`, `_id` being the name; what operators have switched off in the one document of `switches`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from bson import Int64
from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from coal_mine.domain.errors import node_taken, unknown_node
from coal_mine.domain.node import LEASE, Node, Switches

from .documents import Document
from .errors import translated

# As of all heartbeats, see servers.py.
_BEAT_SECONDS = 5.0
_LEASE_MILLIS = Int64(LEASE.total_seconds() * 1_000)
_NOT_ANNOUNCED = ("name", "draining", "ended", "stopped_after", "resumed_after")
_SWITCHES = {"_id": "switches"}


class MongoNodes:
    """domain.ports.NodeStore."""

    def __init__(self, database: Database[Document]) -> None:
        self._nodes = database["nodes"]
        self._switches = database["switches"]

    def beat(self, node: Node) -> Node:
        with translated(_BEAT_SECONDS):
            while True:
                try:
                    return self._write(node)
                except DuplicateKeyError as error:
                    # There is one that the condition does not let us replace; or somebody was faster to write the first.
                    holder = self._nodes.find_one({"_id": node.name})
                    if holder and holder["boot"] != node.boot and holder["seen_at"] > node.seen_at - LEASE:
                        raise node_taken(node.name, holder["host"], holder["pid"]) from error

    def _write(self, node: Node) -> Node:
        ours = {"_id": node.name, "$or": [{"boot": node.boot}, {"seen_at": {"$lte": node.seen_at - LEASE}}]}
        values = {name: value for name, value in asdict(node).items() if name not in _NOT_ANNOUNCED}
        update = {"$set": values, "$unset": {"over": ""}}
        found: Any = self._nodes.find_one_and_update(ours, update, upsert=True, return_document=ReturnDocument.AFTER)  # never None
        return _node_of(found)

    def end(self, name: str, boot: str, *, keeps_lease: bool = False) -> None:
        """`over` keeps a repetition from putting it back once more."""
        last_seen = "$seen_at" if keeps_lease else {"$subtract": ["$seen_at", _LEASE_MILLIS]}
        with translated(_BEAT_SECONDS):
            self._nodes.update_one(
                {"_id": name, "boot": boot, "over": {"$exists": False}}, [{"$set": {"seen_at": last_seen, "over": True}}]
            )

    def note_stopped(self, name: str, after: datetime) -> None:
        self._raise(name, "stopped_after", after)

    def note_resumed(self, name: str, after: datetime) -> None:
        self._raise(name, "resumed_after", after)

    def _raise(self, name: str, field: str, after: datetime) -> None:
        with translated(_BEAT_SECONDS):
            self._nodes.update_one({"_id": name}, {"$max": {field: after}})

    def all(self) -> list[Node]:
        with translated():
            return [_node_of(document) for document in self._nodes.find().sort("_id", 1)]

    def get(self, name: str) -> Node:
        with translated():
            document = self._nodes.find_one({"_id": name})
        if document is None:
            raise unknown_node(name)
        return _node_of(document)

    def set_draining(self, name: str, *, draining: bool) -> Node:
        with translated():
            wish = {"$set": {"draining": draining}}
            document = self._nodes.find_one_and_update({"_id": name}, wish, return_document=ReturnDocument.AFTER)
        if document is None:
            raise unknown_node(name)
        return _node_of(document)

    def remove(self, name: str) -> None:
        with translated():
            if not self._nodes.delete_one({"_id": name}).deleted_count:
                raise unknown_node(name)

    def switches(self) -> Switches:
        with translated():
            return _switches_of(self._switches.find_one(_SWITCHES) or {})

    def switch_execution(self, *, enabled: bool) -> bool:
        with translated():
            before = self._switches.find_one_and_update(_SWITCHES, {"$set": {"execution_enabled": enabled}}, upsert=True)
        return _switches_of(before or {}).execution_enabled

    def pause_pool(self, pool: str, *, paused: bool) -> Switches:
        update = {"$addToSet" if paused else "$pull": {"paused_pools": pool}}
        with translated():
            found: Any = self._switches.find_one_and_update(_SWITCHES, update, upsert=True, return_document=ReturnDocument.AFTER)
        return _switches_of(found)


def _switches_of(document: Document) -> Switches:
    return Switches(
        execution_enabled=document.get("execution_enabled", True),
        paused_pools=frozenset(document.get("paused_pools", ())),
    )


def _node_of(document: Document) -> Node:
    values = {name: value for name, value in document.items() if name in Node.__dataclass_fields__}
    lists = {name: tuple(document.get(name, ())) for name in ("pools", "users", "runners")}
    return Node(**{**values, **lists, "name": document["_id"], "ended": document.get("over", False)})
