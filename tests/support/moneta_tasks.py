"""Tasks as Moneta's clients write them."""

from __future__ import annotations

from typing import Any

# As documented, but for a comma that makes it no JSON.
DOCUMENTED: dict[str, Any] = {
    "name": "My task",
    "description": "Task description",
    "tags": ["tasg1", "tag2"],
    "enabled": True,
    "mode": "all",
    "pools": ["web"],
    "schedules": [{"minute": ["*/1"]}],
    "command": "/bin/true",
    "workdir": "/tmp/",
    "user": "www-data",
    "group": "www-data",
    "env": {"GNT_CONF": "/etc/geneanet/geneaconfig/"},
    "mailreport": "output",
    "mailto": ["cron.doc@geneanet.org"],
}
# What the web client posts when nothing was filled in, and one empty schedule was added.
EMPTY_FORM: dict[str, Any] = {
    "tags": [],
    "concurrency": 0,
    "env": {},
    "schedules": [None],
    "mailto": [],
    "mode": "any",
    "pools": ["default"],
    "mailreport": "never",
    "name": "NN",
}
