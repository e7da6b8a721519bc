"""Changes of one canary, each inside a transaction of the writer."""

from __future__ import annotations

import json
import sqlite3

from coal_mine.domain.canary import Canary, Entry, Transition
from coal_mine.domain.errors import slug_taken, unknown_id
from coal_mine.domain.times import to_millis

from .rows import CANARY_COLUMNS, WRITTEN, alert_as_json, canary_from_row

_GET = f"SELECT {CANARY_COLUMNS} FROM canaries WHERE id = ?"
_ADD_ENTRY = "INSERT OR IGNORE INTO history (canary, at, nonce, text) VALUES (?, ?, ?, ?)"


def get(connection: sqlite3.Connection, canary_id: str) -> Canary:
    row = connection.execute(_GET, (canary_id,)).fetchone()
    if row is None:
        raise unknown_id(canary_id)
    return canary_from_row(row)


def apply(connection: sqlite3.Connection, transition: Transition) -> bool:
    canary_id = transition.before.id
    sets = {name: WRITTEN[name](getattr(transition.after, name)) for name in sorted(transition.changed)}
    if transition.owe or transition.withdraw:
        canary = get(connection, canary_id)
        if transition.withdraw and transition.withdraw not in canary.owed:
            return False
        sets["owed"] = _owed_after(canary, transition)
    conditions = {name: WRITTEN[name](getattr(transition.before, name)) for name in sorted(transition.depends_on)}
    # `IS` compares NULLs, too. Without a change the update still says whether the canary is as the transition depends on.
    assignments = ", ".join(f"{name} = ?" for name in sets) or "version = version"
    guard = " AND ".join(["id = ?", *(f"{name} IS ?" for name in conditions)])
    query = f"UPDATE canaries SET {assignments} WHERE {guard}"
    try:
        won = connection.execute(query, (*sets.values(), canary_id, *conditions.values())).rowcount == 1
    except sqlite3.IntegrityError:
        refuse_taken_slug(connection, transition.after.slug)
        raise
    if won and transition.entry:
        add_entry(connection, canary_id, transition.entry)
    if not won:
        get(connection, canary_id)  # raises when it does not exist
    return won


def _owed_after(canary: Canary, transition: Transition) -> str:
    owed = [alert for alert in canary.owed if alert != transition.withdraw]
    owed += transition.owe
    return json.dumps([alert_as_json(alert) for alert in owed])


def refuse_taken_slug(connection: sqlite3.Connection, slug: str) -> None:
    row = connection.execute("SELECT id FROM canaries WHERE slug = ?", (slug,)).fetchone()
    if row:
        raise slug_taken(slug, row[0])


def add_entry(connection: sqlite3.Connection, canary_id: str, entry: Entry) -> None:
    connection.execute(_ADD_ENTRY, (canary_id, to_millis(entry.at), entry.nonce, entry.text))
