"""The tables, and how an older file becomes a newer one. Times are milliseconds since 1970, UTC."""

from __future__ import annotations

import sqlite3

from coal_mine.domain.errors import Invalid

_FIRST = """
CREATE TABLE canaries (
    number INTEGER PRIMARY KEY,      -- order of creation
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    periodicity TEXT NOT NULL,       -- JSON, see rows.py
    emails TEXT NOT NULL,            -- JSON list
    paused INTEGER NOT NULL,
    late INTEGER NOT NULL,
    deadline INTEGER,                -- NULL while paused
    last_event_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    owed TEXT NOT NULL DEFAULT '[]'  -- JSON list of alerts
);
CREATE INDEX canaries_by_deadline ON canaries (deadline) WHERE late = 0 AND paused = 0;
CREATE INDEX canaries_owing ON canaries (number) WHERE owed != '[]';

CREATE TABLE history (
    canary TEXT NOT NULL,
    at INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (canary, at, nonce)
) WITHOUT ROWID;

CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    receiver TEXT NOT NULL,
    at INTEGER NOT NULL,             -- of the change that is told
    alert TEXT NOT NULL,             -- JSON
    state TEXT NOT NULL,
    batch TEXT,                      -- '' leaves by itself; else only together with the others of this digest
    finished_at INTEGER,
    error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX deliveries_waiting ON deliveries (receiver, number) WHERE state = 'waiting';
CREATE INDEX deliveries_by_time ON deliveries (at);
CREATE INDEX deliveries_finished ON deliveries (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE receivers (
    id TEXT PRIMARY KEY,             -- channel|address
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    due_at INTEGER,                  -- not tried before; NULL: nothing is waiting
    lease_until INTEGER NOT NULL DEFAULT 0,
    token TEXT NOT NULL DEFAULT '',  -- of the claim in force
    attempts INTEGER NOT NULL DEFAULT 0,
    batch TEXT,                      -- bound last, see deliveries.batch
    error TEXT NOT NULL DEFAULT ''   -- of the last failed try
) WITHOUT ROWID;
CREATE INDEX receivers_due ON receivers (due_at) WHERE due_at IS NOT NULL;
"""

_SERVERS = """
CREATE TABLE servers (
    id TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    background INTEGER NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    stopped_after INTEGER,
    resumed_after INTEGER
) WITHOUT ROWID;
"""

# NULL: late by its deadline, or not late.
_CAUSE = "ALTER TABLE canaries ADD COLUMN cause TEXT;"

# Each step brings a file from the version of its place to the next one. Steps are only ever added.
STEPS = (_FIRST, _SERVERS, _CAUSE)


def bring_up_to_date(connection: sqlite3.Connection, path: str) -> None:
    """Each step in a transaction of its own. Raises Invalid when the file was written by a newer version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(STEPS):
        raise Invalid(f"{path} has schema version {version}, but this Coal Mine knows only {len(STEPS)}: install the newer one again")
    for number, step in enumerate(STEPS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")
