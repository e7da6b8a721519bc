"""Nodes, and what operators have switched off, in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from coal_mine.domain.errors import node_taken, unknown_node
from coal_mine.domain.node import LEASE, Node, Switches
from coal_mine.domain.times import from_millis, to_millis

from .database import Database

_COLUMNS = """
    name, pools, users, timezone, slots, cpus, mem, host, pid, boot, version, started_at, seen_at, running, draining, ended,
    stopped_after, resumed_after, runners
"""
_LEASE = to_millis(from_millis(0) + LEASE)
_HOLDER = "SELECT host, pid FROM nodes WHERE name = ? AND boot != ? AND seen_at > ?"
# Everything but the operators' wish, which stays.
_BEAT = """
    INSERT INTO nodes (name, pools, users, timezone, slots, cpus, mem, host, pid, boot, version, started_at, seen_at, running, runners)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET
        pools = excluded.pools, users = excluded.users, timezone = excluded.timezone, slots = excluded.slots, cpus = excluded.cpus,
        mem = excluded.mem, host = excluded.host, pid = excluded.pid, boot = excluded.boot, version = excluded.version,
        started_at = excluded.started_at, seen_at = excluded.seen_at, running = excluded.running,
        runners = excluded.runners, ended = 0
"""
_END = "UPDATE nodes SET seen_at = seen_at - ?, ended = 1 WHERE name = ? AND boot = ? AND ended = 0"
_SWITCH = {
    False: "INSERT INTO switched_off (kind, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
    True: "DELETE FROM switched_off WHERE kind = ? AND name = ?",
}


class SqliteNodes:
    """See job_ports.NodeStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, node: Node) -> Node:
        seen_at = to_millis(node.seen_at)
        values = (
            node.name, json.dumps(node.pools), json.dumps(node.users), node.timezone, node.slots, node.cpus, node.mem, node.host, node.pid,
            node.boot, node.version, to_millis(node.started_at), seen_at, node.running, json.dumps(node.runners),
        )  # fmt: skip

        def work(connection: sqlite3.Connection) -> Node:
            holder = connection.execute(_HOLDER, (node.name, node.boot, seen_at - _LEASE)).fetchone()
            if holder:
                raise node_taken(node.name, *holder)
            connection.execute(_BEAT, values)
            return _get(connection, node.name)

        return self._database.write(work)

    def end(self, name: str, boot: str, *, keeps_lease: bool = False) -> None:
        values = (0 if keeps_lease else _LEASE, name, boot)
        self._database.write(lambda connection: connection.execute(_END, values).rowcount)

    def note_stopped(self, name: str, after: datetime) -> None:
        self._raise(name, "stopped_after", after)

    def note_resumed(self, name: str, after: datetime) -> None:
        self._raise(name, "resumed_after", after)

    def _raise(self, name: str, column: str, after: datetime) -> None:
        query = f"UPDATE nodes SET {column} = max(coalesce({column}, 0), ?) WHERE name = ?"
        self._database.write(lambda connection: connection.execute(query, (to_millis(after), name)).rowcount)

    def all(self) -> list[Node]:
        with self._database.reading() as connection:
            return [_node_from_row(row) for row in connection.execute(f"SELECT {_COLUMNS} FROM nodes ORDER BY name")]

    def get(self, name: str) -> Node:
        with self._database.reading() as connection:
            return _get(connection, name)

    def set_draining(self, name: str, *, draining: bool) -> Node:
        def work(connection: sqlite3.Connection) -> Node:
            connection.execute("UPDATE nodes SET draining = ? WHERE name = ?", (draining, name))
            return _get(connection, name)

        return self._database.write(work)

    def remove(self, name: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            if not connection.execute("DELETE FROM nodes WHERE name = ?", (name,)).rowcount:
                raise unknown_node(name)

        self._database.write(work)

    def switches(self) -> Switches:
        with self._database.reading() as connection:
            return _switches(connection)

    def switch_execution(self, *, enabled: bool) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            before = _switches(connection)
            connection.execute(_SWITCH[enabled], ("execution", ""))
            return before.execution_enabled

        return self._database.write(work)

    def pause_pool(self, pool: str, *, paused: bool) -> Switches:
        def work(connection: sqlite3.Connection) -> Switches:
            connection.execute(_SWITCH[not paused], ("pool", pool))
            return _switches(connection)

        return self._database.write(work)


def _get(connection: sqlite3.Connection, name: str) -> Node:
    row = connection.execute(f"SELECT {_COLUMNS} FROM nodes WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise unknown_node(name)
    return _node_from_row(row)


def _switches(connection: sqlite3.Connection) -> Switches:
    rows = connection.execute("SELECT kind, name FROM switched_off").fetchall()
    return Switches(
        execution_enabled=("execution", "") not in rows,
        paused_pools=frozenset(name for kind, name in rows if kind == "pool"),
    )


def _node_from_row(row: Sequence[Any]) -> Node:
    return Node(
        name=row[0],
        pools=tuple(json.loads(row[1])),
        users=tuple(json.loads(row[2])),
        timezone=row[3],
        slots=row[4],
        cpus=row[5],
        mem=row[6],
        host=row[7],
        pid=row[8],
        boot=row[9],
        version=row[10],
        started_at=from_millis(row[11]),
        seen_at=from_millis(row[12]),
        running=row[13],
        draining=bool(row[14]),
        ended=bool(row[15]),
        stopped_after=None if row[16] is None else from_millis(row[16]),
        resumed_after=None if row[17] is None else from_millis(row[17]),
        runners=tuple(json.loads(row[18])),
    )
