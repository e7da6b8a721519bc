"""What a node needs, and what becomes of the ticks when one dies."""

from __future__ import annotations

import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import jobs as short_jobs
from benchmarks import limits, servers
from benchmarks.cluster import Client, Cluster, cluster
from benchmarks.report import Report
from tests.support.waiting import until

_PARTS = 5
_JOBS = 20
_PERIOD = 2
_WARM_SECONDS = 10.0
# A lease, its margin, and a few ticks more.
_OBSERVED_SECONDS = 45.0
_MARGIN = timedelta(seconds=5)


def memory(report: Report, store: str, *, runs: int) -> None:
    """Of the node's process, before, during and after many short runs; of the forker and of supervisors that wait for runs."""
    with cluster(store) as found, Client(found.url) as client:
        made = [client.create(f"short {number}", command=["/bin/true"], overlap="allow")["id"] for number in range(_JOBS)]
        pid = found.nodes[0].pid
        sizes = [resident_mib(pid)]
        for _ in range(_PARTS):
            short_jobs.ask_for(found, made, runs // _PARTS)
            until("the end of all runs", lambda: not client.runs(state="queued,claimed,running"), seconds=300)
            sizes.append(resident_mib(pid))
        forker, *supervisors = servers.tree(pid)[1:]
        report.add(
            "Memory of a node", store=store, runs=runs, **{
                "at first MiB": sizes[0], f"after {runs // _PARTS:,}": sizes[1], "at the end": sizes[-1], "forker": resident_mib(forker),
                "a supervisor's own": max(map(own_mib, supervisors), default=0.0), **limits.raw(found.place.mongod),
            },
        )  # fmt: skip


def resident_mib(pid: int) -> float:
    """Of this process alone, with what it shares."""
    return _status(pid, "VmRSS:")


def own_mib(pid: int) -> float:
    """What no other process shares."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def _status(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def death(report: Report, store: str) -> None:
    """Two nodes, of which one is killed with -9."""
    with cluster(store, nodes=2) as found, Client(found.url) as client:
        made = [client.create(f"ticking {number}", schedules=[{"every": _PERIOD}])["id"] for number in range(_JOBS)]
        time.sleep(_WARM_SECONDS)
        killed_at = _kill(found)
        time.sleep(_OBSERVED_SECONDS)
        until_at = datetime.now(UTC) - _MARGIN
        runs = [run for run in client.runs() if _time(run["scheduled_at"]) < until_at]
        after = [run for run in runs if _time(run["scheduled_at"]) > killed_at]
        free = [job for job in made if not any(run["state"] == "skipped" for run in after if run["job"] == job)]
        report.add(
            "Death of a node", store=store, jobs=_JOBS, **{
                "ticks afterwards": len(after), "held by its locks": _JOBS - len(free),
                "others: longest s to a start elsewhere": max(_first_start(after, job, killed_at) for job in free),
                **_counts(after), "ticks without a record": _gaps(runs, made), "recorded twice": _twice(runs),
                **limits.raw(found.place.mongod),
            },
        )  # fmt: skip


def _kill(found: Cluster) -> datetime:
    node = found.nodes[0]
    node.stop(signal.SIGKILL)
    return datetime.now(UTC)


def _first_start(runs: list[dict[str, Any]], job: str, since: datetime) -> float:
    starts = [_time(run["started_at"]) for run in runs if run["job"] == job and run["started_at"]]
    return (min(starts) - since).total_seconds()


def _counts(runs: list[dict[str, Any]]) -> dict[str, int]:
    found = Counter(run["state"] for run in runs)
    return {state: found.pop(state, 0) for state in ("done", "skipped")} | {"of other states": found.total()}


def _gaps(runs: list[dict[str, Any]], jobs: list[str]) -> int:
    """How many periods without a tick lie between the first and the last of each job."""
    gaps = 0
    for job in jobs:
        ticks = sorted({_time(run["scheduled_at"]) for run in runs if run["job"] == job})
        gaps += round((ticks[-1] - ticks[0]).total_seconds() / _PERIOD) + 1 - len(ticks)
    return gaps


def _twice(runs: list[dict[str, Any]]) -> int:
    return len(runs) - len({(run["job"], run["scheduled_at"]) for run in runs})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
