"""What runs have written: the collection `chunks`, in which the `_id` alone orders the chunks of one attempt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from bson import MaxKey, MinKey
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from coal_mine.domain.output import MAX_CHUNK, Chunk, pack, unpack

from .commands import MAX_STATEMENTS, Commands, portions
from .documents import Document
from .errors import translated

CHUNKS = "chunks"
# Chunks of a run that goes on are small, those of its past full. So many are asked for before it is known which.
_FIRST = 8


class MongoOutput:
    """domain.ports.OutputStore."""

    def __init__(self, database: Database[Document], commands: Commands) -> None:
        self._chunks: MongoCollection[Document] = database[CHUNKS]
        self._commands = commands

    def add(self, chunks: Sequence[Chunk]) -> None:
        documents = (_document_of(chunk) for chunk in chunks)
        for portion in portions((len(document["data"]) + 200, document) for document in documents):
            self._commands.insert(CHUNKS, portion)

    def drop(self, run_id: str, attempt: int, *, start: int, end: int) -> None:
        between = {"_id": {"$gte": _key(run_id, attempt, start), "$lt": _key(run_id, attempt, end)}, "end": {"$lte": end}}
        self._commands.delete(CHUNKS, [between])

    def end(self, run_id: str, attempt: int) -> int:
        keys = {"$gt": _key(run_id, attempt, MinKey()), "$lt": _key(run_id, attempt, MaxKey())}
        with translated():
            last = self._chunks.find_one({"_id": keys}, {"end": True}, sort=[("_id", -1)])
        return last["end"] if last else 0

    def read(self, run_id: str, attempt: int, *, offset: int, limit: int) -> list[Chunk]:
        chunks: list[Chunk] = []
        size, wanted = 0, _FIRST
        with translated():
            # None is larger than MAX_CHUNK, so whatever ends behind the offset begins behind this.
            while found := self._behind(run_id, attempt, offset - MAX_CHUNK if not chunks else chunks[-1].offset, offset, wanted):
                for chunk in found:
                    chunks.append(chunk)
                    size += chunk.size
                    if size >= limit:
                        return chunks
                offset = chunks[-1].end
                wanted = min(MAX_STATEMENTS, 1 + (limit - size) * len(chunks) // max(size, 1))
        return chunks

    def _behind(self, run_id: str, attempt: int, start: int, offset: int, limit: int) -> list[Chunk]:
        keys = {"$gt": _key(run_id, attempt, start), "$lt": _key(run_id, attempt, MaxKey())}
        return [_chunk_of(document) for document in self._chunks.find({"_id": keys, "end": {"$gt": offset}}).sort("_id", 1).limit(limit)]

    def forget(self, run_ids: Collection[str]) -> None:
        """All that these runs have written. What a fail-over brings back is deleted when it is tried again."""
        ranges = [{"_id": {"$gt": _key(run_id, MinKey(), None), "$lt": _key(run_id, MaxKey(), None)}} for run_id in run_ids]
        for start in range(0, len(ranges), MAX_STATEMENTS):
            self._commands.delete(CHUNKS, ranges[start : start + MAX_STATEMENTS], hasty=True)


def _key(run_id: str, attempt: Any, offset: Any) -> Document:
    """Documents are compared field by field."""
    return {"run": run_id, "attempt": attempt, "offset": offset}


def _document_of(chunk: Chunk) -> Document:
    return {"_id": _key(chunk.run_id, chunk.attempt, chunk.offset), "end": chunk.end, "data": pack(chunk.frames)}


def _chunk_of(document: Document) -> Chunk:
    key = document["_id"]
    return Chunk(run_id=key["run"], attempt=key["attempt"], offset=key["offset"], frames=tuple(unpack(document["data"])))
