"""The cluster's options in the collection `options`, `_id` being the name."""

from __future__ import annotations

from pymongo.database import Database

from .documents import Document
from .errors import translated


class MongoOptions:
    """domain.ports.OptionStore."""

    def __init__(self, database: Database[Document]) -> None:
        self._options = database["options"]

    def all(self) -> dict[str, str]:
        with translated():
            return {found["_id"]: found["text"] for found in self._options.find(sort=[("_id", 1)])}

    def set(self, name: str, text: str) -> str | None:
        with translated():
            return _text(self._options.find_one_and_update({"_id": name}, {"$set": {"text": text}}, upsert=True))

    def unset(self, name: str) -> str | None:
        with translated():
            return _text(self._options.find_one_and_delete({"_id": name}))


def _text(document: Document | None) -> str | None:
    return None if document is None else str(document["text"])
