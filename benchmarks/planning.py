"""What it costs to plan very many jobs, most of which have no tick for hours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from benchmarks import limits, servers
from benchmarks.cluster import cluster_at
from benchmarks.fill import MongoFiller, batches, id_of, now
from benchmarks.report import Report
from coal_mine.domain.definition import definition_from
from coal_mine.domain.job import Job
from coal_mine.domain.planning import AHEAD
from coal_mine.stores.mongo.jobs import JOBS, document_of
from tests.support.waiting import until

# Of ten jobs, four each hour, four each day in another zone, two each hour of the day by lists of fields.
_HOURLY, _DAILY = 4, 8
_SETTLING_SECONDS = 70.0


def measure(report: Report, store: str, *, jobs: int, seconds: float) -> None:
    """The whole of the processes is counted: the background, and the node that runs what is due, as dummies. Both plan."""
    with servers.directory() as home, servers.place(store, home) as place:
        assert isinstance(place.filler, MongoFiller)
        collection = place.filler.database[JOBS]
        for some in batches(_jobs(jobs, now())):
            collection.insert_many([document_of(job) for job in some], ordered=False)
        begin = time.monotonic()
        with cluster_at(place, home) as found:
            soon = {"next_at": {"$lte": now() + AHEAD}}
            until("the first plan", lambda: collection.find_one(soon, {"_id": 1}) is None, seconds=600)
            first = time.monotonic() - begin
            time.sleep(_SETTLING_SECONDS)
            pids = found.background, found.nodes[0].pid
            used, runs, begin = [servers.cpu_seconds(pid) for pid in pids], _ended(place.filler), time.monotonic()
            time.sleep(seconds)
            passed = time.monotonic() - begin
            background, node = ((servers.cpu_seconds(pid) - before) / passed * 100 for pid, before in zip(pids, used, strict=True))
            report.add(
                "Planning", store=store, jobs=jobs, **{
                    "first plan of all s": first, "seconds": passed, "runs": _ended(place.filler) - runs,
                    "background % of a core": background, "node % of a core": node, **limits.raw(place.mongod),
                },
            )  # fmt: skip


def _ended(filler: MongoFiller) -> int:
    return filler.database["runs"].count_documents({"outcome": "done"})


def _jobs(count: int, at: datetime) -> Iterator[Job]:
    """As they are after an outage: each has to be looked at once."""
    for number in range(count):
        definition = definition_from(
            {"name": f"job {number}", "runner": "dummy", "command": "well", "schedules": [_schedule(number)]}, job_id=id_of(number), now=at
        )
        yield Job(
            id=id_of(number), definition=definition, canary_id=id_of(number), version=1,
            created_at=at - timedelta(days=1), changed_at=at - timedelta(days=1), next_at=at,
        )  # fmt: skip


def _schedule(number: int) -> dict[str, object]:
    kind, minute, hour = number % 10, number // 10 % 60, number // 600 % 24
    if kind < _HOURLY:
        return {"cron": f"{minute} * * * *"}
    if kind < _DAILY:
        return {"cron": f"{minute} {hour} * * *", "timezone": "Europe/Paris"}
    return {"fields": {"minute": minute, "hour": "8-17"}, "timezone": "America/New_York"}
