"""Triggers in SQLite: those that were handed in together are carried out together."""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from coal_mine.domain.canary import HISTORY_AGE, KEPT_HISTORY, MAX_HISTORY, ORDINARY, Triggered, prunes, triggered
from coal_mine.domain.errors import CoalMineError, Invalid, unknown_id
from coal_mine.domain.pending import PendingTrigger
from coal_mine.domain.periodicity import Periodicity
from coal_mine.domain.times import to_millis

from .changes import apply, get
from .rows import periodicity_from_json

MAX_DEFINITIONS = 200_000
_DEFINITIONS = "SELECT id, version, periodicity FROM canaries WHERE id IN (SELECT value FROM json_each(?))"
# One statement for a whole group: each statement lets go of the interpreter, and other threads are slow to give it back.
_ORDINARY = """
    UPDATE canaries SET deadline = given.deadline, last_event_at = given.at
    FROM (SELECT value ->> 0 AS id, value ->> 1 AS version, value ->> 2 AS at, value ->> 3 AS deadline FROM json_each(?)) AS given
    WHERE canaries.id = given.id AND canaries.version = given.version AND late = 0 AND paused = 0
        AND canaries.deadline > given.at AND last_event_at <= given.at
"""
_ADD_ENTRIES = """
    INSERT OR IGNORE INTO history (canary, at, nonce, text)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)
"""


class Triggers:
    """For the writer's thread alone. Remembers the definitions of the canaries triggered last; an old one does no harm, since its version
    no longer matches.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, Periodicity]] = OrderedDict()

    def forget(self) -> None:
        """What was read in a transaction that was rolled back may never have been."""
        self._known.clear()

    def perform(self, connection: sqlite3.Connection, group: Sequence[PendingTrigger]) -> None:
        """Inside a transaction; sets the outcome or the error of each. Repeating it after a rollback, or after a success, is harmless."""
        group = self._known_ones(connection, group)
        if self._perform_ordinary(connection, group):
            for pending in group:
                pending.outcome = ORDINARY
        else:
            for pending in group:
                self._known.pop(pending.canary_id, None)
                _perform_one(connection, pending)
        for pending in group:
            if pending.outcome and prunes(pending.entry):
                _prune(connection, pending.canary_id, pending.entry.at)

    def _known_ones(self, connection: sqlite3.Connection, group: Sequence[PendingTrigger]) -> list[PendingTrigger]:
        """Without those of canaries that do not exist, which fail at once."""
        self._learn(connection, {pending.canary_id for pending in group})
        for pending in group:
            pending.outcome, pending.error = None, None if pending.canary_id in self._known else unknown_id(pending.canary_id)
        return [pending for pending in group if pending.error is None]

    def _learn(self, connection: sqlite3.Connection, canary_ids: Collection[str]) -> None:
        while len(self._known) > MAX_DEFINITIONS:
            self._known.popitem(last=False)
        unknown = [canary_id for canary_id in canary_ids if canary_id not in self._known]
        if unknown:
            for canary_id, version, periodicity in connection.execute(_DEFINITIONS, (json.dumps(unknown),)).fetchall():
                self._known[canary_id] = version, periodicity_from_json(periodicity)

    def _perform_ordinary(self, connection: sqlite3.Connection, group: Sequence[PendingTrigger]) -> bool:
        """False: some are not ordinary, and all have to be looked at; those that were written already will be found as they should be."""
        try:
            changes = self._changes(group)
        except Invalid:  # a definition that cannot be read
            return False
        if connection.execute(_ORDINARY, (json.dumps(changes),)).rowcount != len(changes):
            return False
        entries = [(pending.canary_id, to_millis(pending.entry.at), pending.entry.nonce, pending.entry.text) for pending in group]
        connection.execute(_ADD_ENTRIES, (json.dumps(entries),))
        return True

    def _changes(self, group: Sequence[PendingTrigger]) -> list[tuple[Any, ...]]:
        """What the newest trigger of each canary means."""
        newest: dict[str, datetime] = {}
        for pending in group:
            newest[pending.canary_id] = max(pending.entry.at, newest.get(pending.canary_id, pending.entry.at))
        changes = []
        for canary_id, at in newest.items():
            version, periodicity = self._known[canary_id]
            changes.append((canary_id, version, to_millis(at), to_millis(periodicity.deadline_after(at))))
        return changes


def _perform_one(connection: sqlite3.Connection, pending: PendingTrigger) -> None:
    try:
        pending.outcome = _trigger(connection, pending)
    except CoalMineError as refusal:
        pending.error = refusal


def _trigger(connection: sqlite3.Connection, pending: PendingTrigger) -> Triggered:
    transition, found = triggered(get(connection, pending.canary_id), pending.entry)
    apply(connection, transition)
    return found


def _prune(connection: sqlite3.Connection, canary_id: str, now: datetime) -> None:
    def nth_newest(place: int) -> int:
        row = connection.execute("SELECT at FROM history WHERE canary = ? ORDER BY at DESC LIMIT 1 OFFSET ?", (canary_id, place)).fetchone()
        return row[0] if row else 0

    cut_off = max(nth_newest(MAX_HISTORY - 1), min(nth_newest(KEPT_HISTORY - 1), to_millis(now - HISTORY_AGE)))
    connection.execute("DELETE FROM history WHERE canary = ? AND at < ?", (canary_id, cut_off))
