"""Runs as rows, and back."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from coal_mine.domain.errors import unknown_run
from coal_mine.domain.run import Attempt, End, Origin, Result, Run, RunState
from coal_mine.domain.times import from_millis, to_millis

from .groups import rows_of

# The same words as in the indexes of schema.py.
IS_WAITING = "state IN ('queued', 'retrying')"
IS_LIVE = "state IN ('claimed', 'running', 'unreachable')"
IS_OPEN = "state IN ('queued', 'retrying', 'claimed', 'running', 'unreachable')"
HAS_ENDED = "state IN ('done', 'failed', 'killed', 'lost', 'missed', 'skipped')"
IS_NOT_DONE = "state IN ('failed', 'killed', 'lost', 'missed', 'skipped')"

_Way = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def _same(value: Any) -> Any:
    return value


def millis(moment: datetime | None) -> int | None:
    return None if moment is None else to_millis(moment)


def _moment(millis: int | None) -> datetime | None:
    return None if millis is None else from_millis(millis)


def _list_as_text(values: Sequence[Any]) -> str:
    return json.dumps(values) if values else "[]"


def _texts(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(json.loads(text))


def _pairs(text: str) -> tuple[tuple[str, ...], ...]:
    return () if text == "[]" else tuple(tuple(pair) for pair in json.loads(text))


def _command_as_text(command: str | Sequence[str] | None) -> str:
    return "null" if command is None else json.dumps(command)


def _command(text: str) -> str | tuple[str, ...] | None:
    if text == "null":
        return None
    value = json.loads(text)
    return tuple(value) if isinstance(value, list) else value


def _printed(text: str) -> str:
    """What a system says of an error may hold bytes that are no text. One such run must not keep those beside it from being written."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def _result_as_text(result: Result | None) -> str:
    if result is None:
        return "null"
    times = {"started_at": millis(result.started_at), "ended_at": to_millis(result.ended_at)}
    return json.dumps({name: getattr(result, name) for name in Result.__slots__} | times)


def _result(text: str) -> Result | None:
    if text == "null":
        return None
    value = json.loads(text)
    value.update(end=End(value["end"]), started_at=_moment(value["started_at"]), ended_at=from_millis(value["ended_at"]))
    return Result(**value)


def _attempts_as_text(attempts: Sequence[Attempt]) -> str:
    return _list_as_text(
        [[one.number, one.node, millis(one.started_at), to_millis(one.ended_at), one.exit_code, one.reason, one.lost] for one in attempts]
    )


def _attempts(text: str) -> tuple[Attempt, ...]:
    return tuple(
        Attempt(
            number=number, node=node, started_at=_moment(started_at), ended_at=from_millis(ended_at), exit_code=exit_code, reason=reason,
            lost=any(lost),
        )
        for number, node, started_at, ended_at, exit_code, reason, *lost in (() if text == "[]" else json.loads(text))
    )  # fmt: skip


_PLAIN: _Way = (_same, _same)
_TIME: _Way = (to_millis, from_millis)
_MAYBE_TIME: _Way = (millis, _moment)
_TEXTS: _Way = (_list_as_text, _texts)

# How each field of a run but its definition is written and read; the keys are the columns.
COLUMNS: dict[str, _Way] = {
    "id": _PLAIN,
    "job_id": _PLAIN,
    "job_version": _PLAIN,
    "tick": _TIME,
    "slot": _PLAIN,
    "origin": (_same, Origin),
    "state": (_same, RunState),
    "due_at": _TIME,
    "start_by": _TIME,
    "priority": _PLAIN,
    "pools": _TEXTS,
    "created_at": _TIME,
    "parameters": (_list_as_text, _pairs),
    "command": (_command_as_text, _command),
    "attempt": _PLAIN,
    "epoch": _PLAIN,
    "node": _PLAIN,
    "boot": _PLAIN,
    "nonce": _PLAIN,
    "lock": _PLAIN,
    "claimed_at": _MAYBE_TIME,
    "started_at": _MAYBE_TIME,
    "ended_at": _MAYBE_TIME,
    "reason": (_printed, _same),
    "result": (_result_as_text, _result),
    "past_attempts": (_attempts_as_text, _attempts),
    "orders": _TEXTS,
    "owed": (int, bool),
}
_READ = tuple(COLUMNS.items())
_READ_COLUMNS = (*COLUMNS, "definition_text")
SELECT = f"SELECT {', '.join(COLUMNS)}, (SELECT text FROM run_definitions d WHERE d.number = definition) AS definition_text FROM runs"


def written(run: Run, columns: Sequence[str]) -> list[Any]:
    return [COLUMNS[name][0](getattr(run, name)) for name in columns]


def runs_of(connection: sqlite3.Connection, query: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Run]:
    """Of a query that begins with SELECT and, if it is ordered, has a limit."""
    return [_run_from_row(row) for row in rows_of(connection, _READ_COLUMNS, query, values)]


def get(connection: sqlite3.Connection, run_id: str) -> Run:
    found = runs_of(connection, f"{SELECT} WHERE id = ?", (run_id,))
    if not found:
        raise unknown_run(run_id)
    return found[0]


def digest_of(run: Run) -> str:
    """The same for equal definitions of one job. Two jobs share none, so that the runs of one job say whether one is still needed."""
    return hashlib.blake2b(f"{run.job_id}\0{run.definition_text}".encode(), digest_size=16).hexdigest()


def _run_from_row(row: Sequence[Any]) -> Run:
    fields = {name: read(value) for (name, (_, read)), value in zip(_READ, row, strict=False)}
    return Run(definition_text=row[-1], **fields)
