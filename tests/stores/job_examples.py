"""Jobs and nodes for the tests of the stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

from coal_mine.domain.job import Definition, Job
from coal_mine.domain.node import Node
from coal_mine.domain.ports import Store
from tests.stores.examples import NOW

_numbers = count()


def job(job_id: str = "", *, version: int = 1, next_at: datetime | None = NOW, **fields: Any) -> Job:
    """A job of version 1 with a tick at NOW; every one has another id. `fields` are those of its definition."""
    number = next(_numbers)
    return Job(
        id=job_id or f"job{number:04}",
        definition=Definition(**{"name": f"Job {number}", "command": "true"} | fields),
        canary_id="abcdefgh",
        version=version,
        created_at=NOW,
        changed_at=NOW,
        next_at=next_at,
    )


def added_job(store: Store, job_id: str = "", **fields: Any) -> Job:
    one = job(job_id, **fields)
    store.jobs.add(one)
    return one


def changed_job(before: Job, **fields: Any) -> Job:
    """With another definition, and the next version."""
    return replace(before, definition=replace(before.definition, **fields), version=before.version + 1)


def node(name: str = "alpha", **values: Any) -> Node:
    plain = Node(
        name=name, pools=("default",), users=("backup",), timezone="Europe/Paris", slots=4, cpus=2, mem=2_048.5, host=f"{name}.example.com",
        pid=4711, boot="boot 1", version="1.0", started_at=NOW, seen_at=NOW,
    )  # fmt: skip
    return replace(plain, **values)
