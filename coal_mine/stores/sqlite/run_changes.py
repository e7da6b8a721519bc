"""Changes of runs, each inside a transaction of the only writer: what it has looked at does not change before it writes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence

from coal_mine.domain.run import Origin, Outcome, Run, RunChange, RunState

from .groups import as_parameter, given, rows_of
from .run_rows import COLUMNS, digest_of, millis, written

_STATES = "SELECT id, state, epoch, nonce, lock, ended_at FROM runs WHERE id IN (SELECT value FROM json_each(?))"
_MARKS = ("id", "state", "epoch", "nonce", "lock", "ended_at")
_HELD = "SELECT lock FROM runs INDEXED BY runs_lock WHERE lock != '' AND lock IN (SELECT value FROM json_each(?))"
_FREE = "UPDATE runs SET lock = '' WHERE id IN (SELECT value FROM json_each(?))"
_THERE = "SELECT id FROM runs WHERE id IN (SELECT value FROM json_each(?))"
# A run that is still as the planner made it.
UNTOUCHED = f"state = '{RunState.QUEUED}' AND epoch = 0 AND origin != '{Origin.MANUAL}'"
_OUTDATED = f"""
    SELECT number FROM runs, {given(("id", "version"))} WHERE runs.id = given.id AND {UNTOUCHED} AND job_version < given.version
"""
_ADD_DEFINITIONS = f"""
    INSERT INTO run_definitions (digest, text) SELECT digest, text FROM {given(("digest", "text"))}
    WHERE true ON CONFLICT (digest) DO NOTHING
"""
_ADD_RUNS = f"""
    INSERT INTO runs (definition, {", ".join(COLUMNS)})
    SELECT (SELECT number FROM run_definitions d WHERE d.digest = given.digest), {", ".join(COLUMNS)} FROM {given(("digest", *COLUMNS))}
"""
_DEFINITIONS = "SELECT DISTINCT job_id, definition FROM runs WHERE number IN (SELECT value FROM json_each(?))"
_DELETE_OUTPUT = """
    DELETE FROM output WHERE run_id IN (SELECT id FROM runs WHERE number IN (SELECT value FROM json_each(?)))
"""
_DELETE = "DELETE FROM runs WHERE number IN (SELECT value FROM json_each(?))"
# By the index of jobs and ticks: a definition that is still used is nearly always that of the job's oldest run.
_DELETE_DEFINITIONS = f"""
    DELETE FROM run_definitions WHERE number IN (SELECT definition FROM {given(("job_id", "definition"))} WHERE NOT EXISTS (
        SELECT 1 FROM runs INDEXED BY runs_by_job WHERE runs.job_id = given.job_id AND runs.definition = given.definition))
"""


def adding(runs: Sequence[Run]) -> Callable[[sqlite3.Connection], int]:
    """The work of RunStore.add. The rows are made before it is the writer's turn: nobody should have to wait for that."""
    columns = tuple(COLUMNS)
    texts = {digest_of(run): run.definition_text for run in runs}
    rows = {run.id: (digest_of(run), *written(run, columns)) for run in reversed(runs)}
    versions = as_parameter((run.id, run.job_version) for run in runs)

    def work(connection: sqlite3.Connection) -> int:
        delete(connection, [number for (number,) in rows_of(connection, ("number",), _OUTDATED, (versions,))])
        there = {run_id for (run_id,) in rows_of(connection, ("id",), _THERE, (json.dumps(list(rows)),))}
        new = [row for run_id, row in rows.items() if run_id not in there]
        needed = {digest for digest, *_ in new}
        connection.execute(_ADD_DEFINITIONS, (as_parameter(item for item in texts.items() if item[0] in needed),))
        connection.execute(_ADD_RUNS, (as_parameter(new),))
        return len(new)

    return work


def delete(connection: sqlite3.Connection, numbers: Sequence[int]) -> int:
    """With their output, and the definitions that no other run has."""
    if not numbers:
        return 0
    wanted = (json.dumps(numbers),)
    definitions = as_parameter(rows_of(connection, ("job_id", "definition"), _DEFINITIONS, wanted))
    connection.execute(_DELETE_OUTPUT, wanted)
    deleted = connection.execute(_DELETE, wanted).rowcount
    connection.execute(_DELETE_DEFINITIONS, (definitions,))
    return deleted


def change(connection: sqlite3.Connection, changes: Sequence[RunChange]) -> list[Outcome]:
    """First all is decided, then what has won is written, so that nobody's refusal undoes anything of the others."""
    decided = _Decided(connection, changes)
    outcomes = [decided.outcome(change) for change in changes]
    if decided.freed & decided.taken:  # in whatever order they are written, no two may have the lock at once
        connection.execute(_FREE, (json.dumps(sorted(decided.freeing)),))
    for columns, alike in _by_columns(decided.to_write).items():
        _write(connection, columns, alike)
    return outcomes


class _Decided:
    """What becomes of changes, one after the other, if all before them are written."""

    def __init__(self, connection: sqlite3.Connection, changes: Sequence[RunChange]) -> None:
        ids = json.dumps([change.before.id for change in changes])
        locks = json.dumps([change.after.lock for change in changes if change.after.lock])
        self._there = {row[0]: row[1:] for row in rows_of(connection, _MARKS, _STATES, (ids,))}
        self._held = {lock for (lock,) in rows_of(connection, ("lock",), _HELD, (locks,))}
        self.to_write: list[RunChange] = []
        self.freed: set[str] = set()
        self.freeing: set[str] = set()  # the runs that do
        self.taken: set[str] = set()

    def outcome(self, change: RunChange) -> Outcome:
        state, epoch, nonce, lock, ended_at = self._there.get(change.before.id, (None, None, None, "", None))
        if (state, epoch) != (change.before.state, change.before.epoch):
            after = change.after
            is_written = (state, epoch, nonce, ended_at) == (after.state, after.epoch, after.nonce, millis(after.ended_at))
            return Outcome.WON if is_written else Outcome.LOST
        if "lock" in change.changed and change.after.lock != lock:
            if change.after.lock in self._held:
                return Outcome.LOCKED
            self._move(change, lock)
        self.to_write.append(change)
        return Outcome.WON

    def _move(self, change: RunChange, lock: str) -> None:
        if lock:
            self._held.discard(lock)
            self.freed.add(lock)
            self.freeing.add(change.before.id)
        if change.after.lock:
            self._held.add(change.after.lock)
            self.taken.add(change.after.lock)


def _by_columns(changes: Iterable[RunChange]) -> dict[tuple[str, ...], list[RunChange]]:
    alike: dict[tuple[str, ...], list[RunChange]] = {}
    for change in changes:
        alike.setdefault(tuple(sorted(change.changed)), []).append(change)
    return alike


def _write(connection: sqlite3.Connection, columns: tuple[str, ...], changes: Sequence[RunChange]) -> None:
    if columns:
        assignments = ", ".join(f"{name} = given.{name}" for name in columns)
        rows = as_parameter((change.before.id, *written(change.after, columns)) for change in changes)
        connection.execute(f"UPDATE runs SET {assignments} FROM {given(('id', *columns))} WHERE runs.id = given.id", (rows,))
