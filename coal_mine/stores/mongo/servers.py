"""Heartbeats, in the collection `servers`: one document for each process, with the fields of a Server, `_id` being its id."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from pymongo.database import Database

from coal_mine.domain.server import Server

from .documents import Document
from .errors import translated

# Shorter than other calls may take: after an outage, whoever lives must have beaten before anybody judges.
_SECONDS = 5.0
_SET_BY_BEATS = ("host", "pid", "background", "version", "started_at", "seen_at")


class MongoServers:
    """domain.ports.Servers."""

    def __init__(self, database: Database[Document]) -> None:
        self._servers = database["servers"]

    def beat(self, server: Server) -> None:
        values = asdict(server)
        with translated(_SECONDS):
            self._servers.update_one({"_id": server.id}, {"$set": {name: values[name] for name in _SET_BY_BEATS}}, upsert=True)

    def end(self, server_id: str) -> None:
        with translated(_SECONDS):
            self._servers.delete_one({"_id": server_id})

    def all(self) -> list[Server]:
        with translated(_SECONDS):
            documents = list(self._servers.find().sort([("started_at", 1), ("_id", 1)]))
        return [_server_of(document) for document in documents if _is_whole(document)]

    def note_stopped(self, server_id: str, after: datetime) -> None:
        self._raise(server_id, "stopped_after", after)

    def note_resumed(self, server_id: str, after: datetime) -> None:
        self._raise(server_id, "resumed_after", after)

    def _raise(self, server_id: str, field: str, after: datetime) -> None:
        with translated(_SECONDS):
            self._servers.update_one({"_id": server_id}, {"$max": {field: after}})


def _is_whole(document: Document) -> bool:
    """Another version may write other documents; they must not keep this one from seeing its own."""
    return all(name in document for name in _SET_BY_BEATS)


def _server_of(document: Document) -> Server:
    return Server(
        id=document["_id"],
        **{name: document[name] for name in _SET_BY_BEATS},
        stopped_after=document.get("stopped_after"),
        resumed_after=document.get("resumed_after"),
    )
