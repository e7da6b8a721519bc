"""Words that no canary and no job may have for its id."""

from __future__ import annotations

# With these the paths of all routes begin. Of eight small letters, as the ids of canaries are, there is `auditlog`.
FIRST_SEGMENTS = frozenset(
    {
        *("coal-mine", "health", "metrics", "ping", "ui"),
        *("api", "jobs", "v1"),
        *("auditlog", "cluster", "executionsummary", "gui", "node", "plugins", "processes", "running", "status", "tags", "tasks"),
    }
)
