"""Many rows by one step of one statement: each step lets go of the interpreter, and other threads are slow to give it back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def rows_of(
    connection: sqlite3.Connection, columns: Sequence[str], query: str, values: Sequence[Any] | Mapping[str, Any] = ()
) -> list[Any]:
    """The rows of a query that gives these columns, in its order; no blobs. A query that is ordered must have a limit, or SQLite may forget
    the order.
    """
    (text,) = connection.execute(f"SELECT json_group_array(json_array({', '.join(columns)})) FROM ({query})", values).fetchone()
    found: list[Any] = json.loads(text)
    return found


def given(columns: Iterable[str]) -> str:
    """What to select from, for a parameter made by `as_parameter`: a table with these columns."""
    return f"(SELECT {', '.join(f'value ->> {place} AS {name}' for place, name in enumerate(columns))} FROM json_each(?)) AS given"


def as_parameter(rows: Iterable[Sequence[Any]]) -> str:
    """Texts, numbers and NULLs. A text must not contain NUL or halves of surrogate pairs."""
    return json.dumps(list(rows))
