"""Alerts on their way, in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from operator import itemgetter
from typing import Any

from coal_mine.domain.alert import Alert, Claim, Delivery, DeliveryState, Receiver
from coal_mine.domain.ports import MAX_DIGEST
from coal_mine.domain.times import from_millis, to_millis
from coal_mine.stores.precedence import Precedence

from .database import Database
from .rows import DELIVERY_COLUMNS, alert_as_json, alert_from_json, delivery_from_row

# So many canaries are expanded in one transaction: triggers that come meanwhile wait for its end.
_EXPANDED_AT_ONCE = 500

_CLAIMABLE = """
    SELECT id, channel, address, attempts, batch FROM receivers
    WHERE due_at <= :now AND lease_until <= :now AND channel IN (SELECT value FROM json_each(:channels)) ORDER BY due_at LIMIT 10
"""
_CLAIMABLE_NOW = "SELECT attempts FROM receivers WHERE id = :id AND due_at <= :now AND lease_until <= :now"
# Its last holder finished everything, but died before saying so; or what waited was given up.
_IDLE = "UPDATE receivers SET due_at = NULL WHERE id = ?"
_DISCARD = "DELETE FROM deliveries WHERE id = ? AND state = 'waiting'"
_GIVE_UP = """
    DELETE FROM deliveries WHERE number IN (SELECT number FROM deliveries WHERE receiver = ? AND state = 'waiting' AND at < ? LIMIT ?)
"""
_TAKE = "UPDATE receivers SET token = ?, lease_until = ?, batch = ? WHERE id = ?"
# Ordered by the number of their arrival, which is the order of the changes, see _in_order.
_DELIVERIES = f"SELECT {DELIVERY_COLUMNS} FROM deliveries d JOIN receivers r ON r.id = d.receiver"
_WAITING = f"{_DELIVERIES} WHERE d.receiver = ? AND d.state = 'waiting'"
_BEHIND = f"{_WAITING} AND d.number > (SELECT number FROM deliveries WHERE id = ?) ORDER BY d.number LIMIT ?"
_COUNT_WAITING = "SELECT count(*) FROM deliveries WHERE receiver = ? AND state = 'waiting'"
_BIND = """
    UPDATE deliveries SET batch = ? WHERE number IN (
        SELECT number FROM deliveries WHERE receiver = ? AND state = 'waiting' AND batch IS NULL ORDER BY number LIMIT ?)
"""
_ADD_DELIVERY = "INSERT OR IGNORE INTO deliveries (id, receiver, at, alert, state) VALUES (?, ?, ?, ?, 'waiting')"
# A receiver who is being left alone after a failure stays so.
_ADD_RECEIVER = """
    INSERT INTO receivers (id, channel, address, due_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET due_at = coalesce(due_at, excluded.due_at)
"""
_NEXT_ATTEMPT = """
    SELECT min(max(due_at, lease_until)) FROM receivers WHERE due_at IS NOT NULL AND channel IN (SELECT value FROM json_each(?))
"""
_RELEASE = """
    UPDATE receivers SET lease_until = 0, token = '', attempts = CASE WHEN :retry_at IS NULL THEN 0 ELSE attempts + 1 END, error = :error,
        due_at = coalesce(:retry_at, (SELECT min(at) FROM deliveries WHERE receiver = :id AND state = 'waiting'))
    WHERE id = :id AND token = :token
"""


def expand_owed(connection: sqlite3.Connection, alerts: Iterable[Alert]) -> None:
    due: dict[Receiver, int] = {}
    deliveries: list[tuple[str, str, int, str]] = []
    for alert in alerts:
        at, text = to_millis(alert.at), json.dumps(alert_as_json(alert))
        for receiver in alert.receivers:
            due.setdefault(receiver, at)
            deliveries.append((Delivery(alert=alert, receiver=receiver).id, str(receiver), at, text))
    connection.executemany(_ADD_RECEIVER, [(str(receiver), receiver.channel, receiver.address, at) for receiver, at in due.items()])
    connection.executemany(_ADD_DELIVERY, deliveries)


def _in_order(owed_by_canary: Iterable[list[Alert]]) -> list[Alert]:
    """By the time of the change, but each canary's in the order of its changes.

    A trigger that arrives a moment after the deadline and a moment before the canary is marked late is older than the LATE that it ends.
    """
    placed: list[tuple[datetime, Alert]] = []
    for alerts in owed_by_canary:
        times = accumulate((alert.at for alert in alerts), max)
        placed += zip(times, alerts, strict=True)
    return [alert for _, alert in sorted(placed, key=itemgetter(0))]


class SqliteOutbox:
    """See ports.Outbox. Every step is one transaction of the writer, so that nothing can be found half done."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.precedence = Precedence()

    def expand(self) -> int:
        def work(connection: sqlite3.Connection) -> int:
            query = "SELECT number, owed FROM canaries WHERE owed != '[]' ORDER BY number LIMIT ?"
            rows = connection.execute(query, (_EXPANDED_AT_ONCE,)).fetchall()
            alerts = _in_order([alert_from_json(alert) for alert in json.loads(owed)] for _, owed in rows)
            expand_owed(connection, alerts)
            connection.executemany("UPDATE canaries SET owed = '[]' WHERE number = ?", [(number,) for number, _ in rows])
            return len(alerts)

        with self._database.reading() as connection:
            if not connection.execute("SELECT 1 FROM canaries WHERE owed != '[]' LIMIT 1").fetchone():
                return 0
        with self.precedence.expanding():
            return self._database.write(work)

    def add(self, alerts: Sequence[Alert]) -> None:
        self._database.write(lambda connection: expand_owed(connection, alerts))

    def claim(self, *, now: datetime, lease: timedelta, token: str, digest_above: int, channels: Sequence[str]) -> Claim | None:
        claimable = {"now": to_millis(now), "channels": json.dumps(channels)}

        def work(connection: sqlite3.Connection) -> Claim | None:
            for receiver_id, channel, address, attempts, bound in connection.execute(_CLAIMABLE, claimable).fetchall():
                batch, deliveries = _deliveries_to_claim(connection, receiver_id, bound, token, digest_above)
                if deliveries:
                    connection.execute(_TAKE, (token, to_millis(now + lease), batch, receiver_id))
                    receiver = Receiver(channel, address)
                    return Claim(receiver=receiver, token=token, attempts=attempts, batch=batch or None, deliveries=tuple(deliveries))
                connection.execute(_IDLE, (receiver_id,))
            return None

        return self._database.write(work)

    def claim_oldest(
        self, receiver: Receiver, *, now: datetime, lease: timedelta, token: str, limit: int, after: Delivery | None = None
    ) -> Claim | None:
        claimable = {"id": str(receiver), "now": to_millis(now)}

        def work(connection: sqlite3.Connection) -> Claim | None:
            found = connection.execute(_CLAIMABLE_NOW, claimable).fetchone()
            if not found:
                return None
            behind = _all(connection, _BEHIND, (str(receiver), after.id, limit)) if after else []
            deliveries = behind or _all(connection, f"{_WAITING} ORDER BY d.number LIMIT ?", (str(receiver), limit))
            if not deliveries:
                connection.execute(_IDLE, (str(receiver),))
                return None
            connection.execute(_TAKE, (token, to_millis(now + lease), None, str(receiver)))
            return Claim(receiver=receiver, token=token, attempts=found[0], batch=None, deliveries=tuple(deliveries))

        return self._database.write(work)

    def finish(
        self, claim: Claim, deliveries: Sequence[Delivery], *, state: DeliveryState, now: datetime, lease: timedelta, error: str = ""
    ) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            is_held = _prolong(connection, claim, now + lease)
            if is_held or state is DeliveryState.DELIVERED:
                connection.executemany(
                    "UPDATE deliveries SET state = ?, finished_at = ?, error = ? WHERE id = ? AND finished_at IS NULL",
                    [(state, to_millis(now), error, delivery.id) for delivery in deliveries],
                )
            return is_held

        return self._database.write(work)

    def discard(self, claim: Claim, deliveries: Sequence[Delivery], *, now: datetime, lease: timedelta) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            connection.executemany(_DISCARD, [(delivery.id,) for delivery in deliveries])
            return _prolong(connection, claim, now + lease)

        return self._database.write(work)

    def release(self, claim: Claim, *, retry_at: datetime | None, error: str = "") -> None:
        values = {
            "id": str(claim.receiver),
            "token": claim.token,
            "retry_at": to_millis(retry_at) if retry_at else None,
            "error": error,
        }
        self._database.write(lambda connection: connection.execute(_RELEASE, values).rowcount)

    def next_attempt(self, now: datetime, channels: Sequence[str]) -> datetime | None:
        with self._database.reading() as connection:
            (due_at,) = connection.execute(_NEXT_ATTEMPT, (json.dumps(channels),)).fetchone()
        return None if due_at is None else max(now, from_millis(due_at))

    def deliveries(self, *, limit: int) -> list[Delivery]:
        with self._database.reading() as connection:
            return _all(connection, f"{_DELIVERIES} ORDER BY d.at DESC, d.number DESC LIMIT ?", (limit,))

    def forget(self, before: datetime) -> int:
        query = "DELETE FROM deliveries WHERE finished_at < ?"
        return self._database.write(lambda connection: connection.execute(query, (to_millis(before),)).rowcount)

    def give_up(self, receiver: Receiver, before: datetime, *, limit: int) -> int:
        values = (str(receiver), to_millis(before), limit)
        return self._database.write(lambda connection: connection.execute(_GIVE_UP, values).rowcount)


def _prolong(connection: sqlite3.Connection, claim: Claim, lease_until: datetime) -> bool:
    """False: it has passed to somebody else."""
    query = "UPDATE receivers SET lease_until = ?, attempts = 0, error = '' WHERE id = ? AND token = ?"
    return connection.execute(query, (to_millis(lease_until), str(claim.receiver), claim.token)).rowcount == 1


def _deliveries_to_claim(
    connection: sqlite3.Connection, receiver_id: str, bound: str | None, token: str, digest_above: int
) -> tuple[str, list[Delivery]]:
    """What was bound before, as far as it still waits; else bind what waits, for good: as a digest, or singly (the batch is then "").

    What may have left singly must not leave again inside a digest, where nobody could tell that it is a repetition.
    """
    deliveries_of = f"{_WAITING} AND d.batch = ? ORDER BY d.number"
    if bound is not None:
        deliveries = _all(connection, deliveries_of, (receiver_id, bound))
        if deliveries:
            return bound, deliveries
    (waiting,) = connection.execute(_COUNT_WAITING, (receiver_id,)).fetchone()
    batch, most = (token, MAX_DIGEST) if waiting > digest_above else ("", digest_above)
    connection.execute(_BIND, (batch, receiver_id, most))
    return batch, _all(connection, deliveries_of, (receiver_id, batch))


def _all(connection: sqlite3.Connection, query: str, values: tuple[Any, ...]) -> list[Delivery]:
    return [delivery_from_row(row) for row in connection.execute(query, values)]
