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

# Nearly all runs have ended. What is asked several times a second has an index of its own that holds only what it is about.
_JOBS = """
CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,              -- as in the definition, like enabled
    enabled INTEGER NOT NULL,
    canary_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    next_at INTEGER,                 -- NULL: nothing to plan
    definition TEXT NOT NULL         -- JSON
);
CREATE INDEX jobs_by_name ON jobs (name, id);
CREATE INDEX jobs_by_enabled ON jobs (enabled, id);
CREATE INDEX jobs_to_plan ON jobs (next_at, id) WHERE next_at IS NOT NULL;

CREATE TABLE job_words (             -- what definitions list and jobs are found by
    kind TEXT NOT NULL,              -- tag, pool
    word TEXT NOT NULL,
    job TEXT NOT NULL,
    PRIMARY KEY (kind, word, job)
) WITHOUT ROWID;

CREATE TABLE run_definitions (       -- kept once for all runs of a job that have it; it may be long, and runs change often
    number INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,     -- of the job's id and the text
    text TEXT NOT NULL
);

CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    job_id TEXT NOT NULL,
    job_version INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    tick INTEGER NOT NULL,
    slot TEXT NOT NULL,
    origin TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    start_by INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    pools TEXT NOT NULL,             -- JSON list
    created_at INTEGER NOT NULL,
    parameters TEXT NOT NULL,        -- JSON list of pairs
    command TEXT NOT NULL,           -- JSON
    attempt INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    node TEXT NOT NULL,
    boot TEXT NOT NULL,
    nonce TEXT NOT NULL,
    lock TEXT NOT NULL,              -- '': none
    claimed_at INTEGER,
    started_at INTEGER,
    ended_at INTEGER,
    reason TEXT NOT NULL,
    result TEXT NOT NULL,            -- JSON
    attempts TEXT NOT NULL,          -- JSON list
    orders TEXT NOT NULL,            -- JSON list
    owed INTEGER NOT NULL
);
CREATE UNIQUE INDEX runs_lock ON runs (lock) WHERE lock != '';
CREATE INDEX runs_due ON runs (due_at, priority DESC, id) WHERE state IN ('queued', 'retrying');
CREATE INDEX runs_to_miss ON runs (start_by, id) WHERE state IN ('queued', 'retrying');
CREATE INDEX runs_live ON runs (node, id) WHERE state IN ('claimed', 'running', 'unreachable');
CREATE INDEX runs_open ON runs (job_id, tick, id) WHERE state IN ('queued', 'retrying', 'claimed', 'running', 'unreachable');
CREATE INDEX runs_owing ON runs (max(created_at, coalesce(claimed_at, 0), coalesce(ended_at, 0))) WHERE owed = 1;
CREATE INDEX runs_ended ON runs (ended_at) WHERE state IN ('done', 'failed', 'killed', 'lost', 'missed', 'skipped');
CREATE INDEX runs_not_done ON runs (tick, id) WHERE state IN ('failed', 'killed', 'lost', 'missed', 'skipped');
CREATE INDEX runs_by_job ON runs (job_id, tick);
CREATE INDEX runs_by_tick ON runs (tick, id);

CREATE TABLE output (
    run_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    begins INTEGER NOT NULL,         -- counted in bytes of output
    ends INTEGER NOT NULL,
    frames BLOB NOT NULL,            -- as output.pack makes them
    PRIMARY KEY (run_id, attempt, begins)
);

CREATE TABLE nodes (
    name TEXT NOT NULL PRIMARY KEY,
    pools TEXT NOT NULL,             -- JSON list
    users TEXT NOT NULL,             -- JSON list
    timezone TEXT NOT NULL,
    slots INTEGER NOT NULL,
    cpus REAL NOT NULL,
    mem REAL NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    boot TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    running INTEGER NOT NULL,
    draining INTEGER NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL DEFAULT 0 -- has said that it stops
) WITHOUT ROWID;

CREATE TABLE switched_off (
    kind TEXT NOT NULL,              -- execution, pool
    name TEXT NOT NULL,              -- of the pool
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
"""

_JOBS_BY_CHANGE = "CREATE INDEX jobs_by_change ON jobs (changed_at, id);"

# As of servers.
_NODES_TOLD = """
ALTER TABLE nodes ADD COLUMN stopped_after INTEGER;
ALTER TABLE nodes ADD COLUMN resumed_after INTEGER;
"""

# Beside `attempt`, a number.
_PAST_ATTEMPTS = "ALTER TABLE runs RENAME COLUMN attempts TO past_attempts;"

_AUDIT = """
ALTER TABLE jobs ADD COLUMN changed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE nodes ADD COLUMN runners TEXT NOT NULL DEFAULT '[]';  -- JSON list

CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    by TEXT NOT NULL,
    old TEXT NOT NULL,               -- JSON; '': none
    new TEXT NOT NULL
);
-- With all that a key has, so that keys are read without a look at the table, whose rows may be long.
CREATE INDEX audit_by_time ON audit (at, id, kind, subject);
CREATE INDEX audit_by_subject ON audit (subject, at, id, kind);

CREATE TABLE options (
    name TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL               -- JSON
) WITHOUT ROWID;
"""

# With the id, for runs that end together, as all of a lost node do. Those of a job are the ones that a node had taken.
_RUNS_ENDED_IN_ORDER = """
DROP INDEX runs_ended;
CREATE INDEX runs_ended ON runs (ended_at, id) WHERE state IN ('done', 'failed', 'killed', 'lost', 'missed', 'skipped');
CREATE INDEX runs_ended_of_job ON runs (job_id, ended_at, id)
    WHERE attempt > 0 AND state IN ('done', 'failed', 'killed', 'lost', 'missed', 'skipped');
"""

# Each step brings a file from the version of its place to the next one. Steps are only ever added.
STEPS = (_FIRST, _SERVERS, _CAUSE, _JOBS, _JOBS_BY_CHANGE, _NODES_TOLD, _PAST_ATTEMPTS, _AUDIT, _RUNS_ENDED_IN_ORDER)


def bring_up_to_date(connection: sqlite3.Connection, path: str) -> None:
    """Each step in a transaction of its own. Raises Invalid when the file was written by a newer version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(STEPS):
        raise Invalid(f"{path} has schema version {version}, but this Coal Mine knows only {len(STEPS)}: install the newer one again")
    for number, step in enumerate(STEPS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")
