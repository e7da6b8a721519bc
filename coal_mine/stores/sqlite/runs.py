"""Runs in SQLite. A query that is asked again and again names its index, so that it never looks at what it is not about."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from coal_mine.domain.job_ports import EndedFilter, RunFilter
from coal_mine.domain.key import Key
from coal_mine.domain.node import Node
from coal_mine.domain.run import ANY, LIVE, WAITING, Outcome, Run, RunChange, RunState
from coal_mine.domain.times import from_millis, to_millis

from .database import Database
from .groups import as_parameter, given, rows_of
from .run_changes import UNTOUCHED, adding, change, delete
from .run_rows import HAS_ENDED, IS_LIVE, IS_NOT_DONE, IS_OPEN, IS_WAITING, SELECT, get, runs_of

_LATEST = f"""
    {SELECT} WHERE number IN (SELECT (
        SELECT number FROM runs INDEXED BY runs_by_job WHERE job_id = wanted.value AND NOT (state = '{RunState.QUEUED}' AND epoch = 0)
        ORDER BY tick DESC, id DESC LIMIT 1) FROM json_each(?) AS wanted)
"""
_LAST_ENDED = f"""
    {SELECT} WHERE number IN (SELECT (
        SELECT number FROM runs INDEXED BY runs_ended_of_job WHERE job_id = wanted.value AND attempt > 0 AND {HAS_ENDED}
        ORDER BY ended_at DESC, id DESC LIMIT 1) FROM json_each(?) AS wanted)
"""
_DUE = f"INDEXED BY runs_due WHERE {IS_WAITING} AND due_at <= ?"
_IN_DUE_ORDER = "ORDER BY due_at, priority DESC, id"
_FOR_NODE = f"slot IN ('{ANY}', ?) AND EXISTS (SELECT 1 FROM json_each(pools) WHERE value IN (SELECT value FROM json_each(?)))"
_OVERDUE = f"{SELECT} INDEXED BY runs_to_miss WHERE {IS_WAITING} AND start_by <= ? ORDER BY start_by, id LIMIT ?"
_LIVE_ON = f"{SELECT} INDEXED BY runs_live WHERE {IS_LIVE} AND node = ?"
_OPEN_OF = f"{SELECT} INDEXED BY runs_open WHERE {IS_OPEN} AND job_id = ?"
_ORDER = f"UPDATE runs SET orders = json_insert(orders, '$[#]', ?) WHERE id = ? AND {IS_LIVE}"
_TAKE_ORDER = "UPDATE runs SET orders = json_remove(orders, '$[0]') WHERE id = ? AND orders ->> 0 = ?"
_OWING = f"""
    {SELECT} INDEXED BY runs_owing WHERE owed = 1 AND max(created_at, coalesce(claimed_at, 0), coalesce(ended_at, 0)) < ? LIMIT ?
"""
_SETTLED = f"""
    UPDATE runs SET owed = 0 FROM {given(("id", "state", "epoch"))}
    WHERE runs.id = given.id AND runs.state = given.state AND runs.epoch = given.epoch
"""
_TO_WITHDRAW = f"""
    SELECT number FROM runs INDEXED BY runs_open WHERE {IS_OPEN} AND job_id = ? AND tick > ? AND {UNTOUCHED} AND job_version < ?
"""
_TO_FORGET = f"SELECT number FROM runs INDEXED BY runs_ended WHERE {HAS_ENDED} AND ended_at < ? ORDER BY ended_at LIMIT ?"


class SqliteRuns:
    """See job_ports.RunStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, runs: Sequence[Run]) -> int:
        return self._database.write(adding(runs)) if runs else 0

    def change(self, changes: Sequence[RunChange]) -> list[Outcome]:
        return self._database.write(lambda connection: change(connection, changes)) if changes else []

    def get(self, run_id: str) -> Run:
        with self._database.reading() as connection:
            return get(connection, run_id)

    def find(self, run_ids: Collection[str]) -> dict[str, Run]:
        query = f"{SELECT} WHERE id IN (SELECT value FROM json_each(?))"
        return {run.id: run for run in self._runs(query, (json.dumps(list(run_ids)),))}

    def select(self, wanted: RunFilter, *, before: tuple[datetime, str] | None = None, limit: int) -> list[Run]:
        condition, values = _behind(wanted, before)
        return self._runs(f"{SELECT} {condition} ORDER BY tick DESC, id DESC LIMIT ?", (*values, limit))

    def keys(self, wanted: RunFilter, *, limit: int) -> list[Key[RunState]]:
        return self._keys("tick", *_condition(wanted), limit)

    def latest(self, job_ids: Collection[str]) -> dict[str, Run]:
        return {run.job_id: run for run in self._runs(_LATEST, (json.dumps(list(job_ids)),))}

    def ended(self, wanted: EndedFilter, *, limit: int) -> list[Key[RunState]]:
        return self._keys("ended_at", *_condition_of_end(wanted), limit)

    def last_ended(self, job_ids: Collection[str]) -> dict[str, Run]:
        return {run.job_id: run for run in self._runs(_LAST_ENDED, (json.dumps(list(job_ids)),))}

    def due(self, until: datetime, *, node: Node | None, limit: int) -> list[Run]:
        if node is None:
            return self._runs(f"{SELECT} {_DUE} {_IN_DUE_ORDER} LIMIT ?", (to_millis(until), limit))
        values = (to_millis(until), node.name, json.dumps(node.pools), limit)
        return self._runs(f"{SELECT} {_DUE} AND {_FOR_NODE} {_IN_DUE_ORDER} LIMIT ?", values)

    def overdue(self, now: datetime, *, limit: int) -> list[Run]:
        return self._runs(_OVERDUE, (to_millis(now), limit))

    def live_on(self, node: str) -> list[Run]:
        return self._runs(f"{_LIVE_ON} ORDER BY id LIMIT -1", (node,))

    def live_nodes(self) -> list[str]:
        with self._database.reading() as connection:
            query = f"SELECT DISTINCT node FROM runs INDEXED BY runs_live WHERE {IS_LIVE} ORDER BY node LIMIT -1"
            return [node for (node,) in rows_of(connection, ("node",), query)]

    def live_of(self, job_id: str) -> list[Run]:
        return self._runs(f"{_OPEN_OF} AND state != '{RunState.QUEUED}' ORDER BY id LIMIT -1", (job_id,))

    def waiting_of(self, job_id: str) -> list[Run]:
        return self._runs(f"{_OPEN_OF} AND {IS_WAITING} ORDER BY tick, id LIMIT -1", (job_id,))

    def of_tick(self, job_id: str, tick: datetime) -> list[Run]:
        query = f"{SELECT} INDEXED BY runs_by_job WHERE job_id = ? AND tick = ? ORDER BY slot LIMIT -1"
        return self._runs(query, (job_id, to_millis(tick)))

    def order(self, run_id: str, order: str) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            get(connection, run_id)
            return connection.execute(_ORDER, (order, run_id)).rowcount == 1

        return self._database.write(work)

    def ordered_on(self, node: str) -> list[Run]:
        return self._runs(f"{_LIVE_ON} AND orders != '[]' ORDER BY id LIMIT -1", (node,))

    def take_order(self, run: Run, order: str) -> bool:
        return self._database.write(lambda connection: connection.execute(_TAKE_ORDER, (run.id, order)).rowcount == 1)

    def owing(self, before: datetime, *, limit: int) -> list[Run]:
        return self._runs(_OWING, (to_millis(before), limit))

    def settled(self, runs: Collection[Run]) -> None:
        rows = as_parameter((run.id, run.state, run.epoch) for run in runs)
        self._database.write(lambda connection: connection.execute(_SETTLED, (rows,)).rowcount)

    def withdraw(self, job_id: str, *, below: int, after: datetime) -> int:
        return self._delete(_TO_WITHDRAW, (job_id, to_millis(after), below))

    def forget(self, before: datetime, *, limit: int) -> int:
        return self._delete(_TO_FORGET, (to_millis(before), limit))

    def _runs(self, query: str, values: Sequence[Any]) -> list[Run]:
        with self._database.reading() as connection:
            return runs_of(connection, query, values)

    def _keys(self, at: str, condition: str, values: Sequence[Any], limit: int) -> list[Key[RunState]]:
        """`at` is the column of the order."""
        query = f"SELECT {at}, id, job_id, state, attempt FROM runs {condition} ORDER BY {at} DESC, id DESC LIMIT ?"
        with self._database.reading() as connection:
            rows = rows_of(connection, (at, "id", "job_id", "state", "attempt"), query, (*values, limit))
        return [
            Key(at=from_millis(millis), id=run_id, about=job_id, what=RunState(state), was_taken=attempt > 0)
            for millis, run_id, job_id, state, attempt in rows
        ]

    def _delete(self, query: str, values: Sequence[Any]) -> int:
        def work(connection: sqlite3.Connection) -> int:
            return delete(connection, [number for (number,) in rows_of(connection, ("number",), query, values)])

        return self._database.write(work)


def _behind(wanted: RunFilter, before: tuple[datetime, str] | None) -> tuple[str, tuple[Any, ...]]:
    condition, values = _condition(wanted)
    if before is None:
        return condition, values
    return f"{condition} AND (tick, id) < (?, ?)", (*values, to_millis(before[0]), before[1])


def _condition(wanted: RunFilter) -> tuple[str, tuple[Any, ...]]:
    """From the index to the conditions, and their values."""
    index, literal = _index_for(wanted)
    given_values: dict[str, Any] = {
        "job_id = ?": wanted.job_id,
        "state IN (SELECT value FROM json_each(?))": None if wanted.states is None else json.dumps(sorted(wanted.states)),
        "node = ?": wanted.node,
        "tick >= ?": None if wanted.since is None else to_millis(wanted.since),
        "tick < ?": None if wanted.until is None else to_millis(wanted.until),
    }
    return _joined(index, literal, given_values)


def _condition_of_end(wanted: EndedFilter) -> tuple[str, tuple[Any, ...]]:
    given_values: dict[str, Any] = {
        "job_id = ?": wanted.job_id,
        "ended_at >= ?": None if wanted.since is None else to_millis(wanted.since),
        "ended_at < ?": None if wanted.until is None else to_millis(wanted.until),
    }
    return _joined("runs_ended" if wanted.job_id is None else "runs_ended_of_job", f"attempt > 0 AND {HAS_ENDED}", given_values)


def _joined(index: str, literal: str, given_values: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
    conditions = {condition: value for condition, value in given_values.items() if value is not None}
    return f"INDEXED BY {index} WHERE {' AND '.join([literal, *conditions])}", tuple(conditions.values())


def _index_for(wanted: RunFilter) -> tuple[str, str]:
    """Few runs are under way, and few that are over are not done: these are found without a look at all the others."""
    states = wanted.states
    if states is not None and states <= WAITING | LIVE:
        return "runs_open", IS_OPEN
    if wanted.job_id is not None:
        return "runs_by_job", "1"
    if states is not None and states.isdisjoint({*WAITING, *LIVE, RunState.DONE}):
        return "runs_not_done", IS_NOT_DONE
    return "runs_by_tick", "1"
