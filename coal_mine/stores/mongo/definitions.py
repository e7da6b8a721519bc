"""What the group commit remembers of canaries, so that it need not read them for each trigger."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from pymongo.collection import Collection

from coal_mine.domain.periodicity import Periodicity

from .documents import DEFINITION, Document, periodicity_of

MAX_DEFINITIONS = 200_000


@dataclass(frozen=True, slots=True)
class Definition:
    """How to compute a canary's deadline, and the version for which that is right."""

    periodicity: Periodicity
    version: int


class Definitions:
    """The definitions of the canaries triggered last. An old one is harmless: its version no longer matches.

    What was read from a primary that lost its office must be forgotten: its successor may give the same version to another definition.
    """

    def __init__(self, canaries: Collection[Document]) -> None:
        self._canaries = canaries
        self._known: OrderedDict[str, Definition] = OrderedDict()

    def of(self, canary_ids: Iterable[str]) -> dict[str, Definition]:
        """Without those that do not exist."""
        found: dict[str, Definition] = {}
        unknown = []
        for canary_id in canary_ids:
            if canary_id in self._known:
                found[canary_id] = self._known[canary_id]
                self._known.move_to_end(canary_id)
            else:
                unknown.append(canary_id)
        if unknown:
            for document in self._canaries.find({"id": {"$in": unknown}}, DEFINITION):
                found[document["id"]] = self.learn(document["id"], periodicity_of(document), document.get("version") or 0)
        return found

    def learn(self, canary_id: str, periodicity: Periodicity, version: int) -> Definition:
        definition = Definition(periodicity, version)
        self._known[canary_id] = definition
        self._known.move_to_end(canary_id)
        if len(self._known) > MAX_DEFINITIONS:
            self._known.popitem(last=False)
        return definition

    def forget(self, canary_id: str) -> None:
        self._known.pop(canary_id, None)
