"""How soon after its tick a job starts, how many start together, and how many short ones this machine takes in a second."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import quantiles

from benchmarks import limits
from benchmarks.cluster import Client, Cluster, cluster
from benchmarks.report import Report
from tests.support.waiting import until

# The command tells when it was started, so that its own process is what is measured.
_TELL_TIME = ["/bin/date", "+%s.%N"]
_ALLOW = {"overlap": "allow"}
_SOON = timedelta(seconds=5)
_ASKERS = 16
_LONGEST = 300


def one(report: Report, store: str, *, spool: str, ticks: int, period: int) -> None:
    """One job, each few seconds."""
    with cluster(store, spool=spool) as found, Client(found.url) as client:
        job = client.create("one", command=_TELL_TIME, schedules=[{"every": period}])
        time.sleep(ticks * period)
        until("the ticks", lambda: len(client.runs(job=job["id"], state="done")) >= ticks, seconds=_LONGEST)
        client.ask("POST", f"/jobs/{job['id']}/disable")
        late = _lateness(client, client.runs(job=job["id"], state="done"))
        cuts = quantiles(late, n=100)
        report.add(
            "Start after the tick", store=store, spool=spool, ticks=len(late), **{
                "p50 ms": cuts[49], "p90 ms": cuts[89], "p99 ms": cuts[98], "max ms": max(late), **limits.raw(found.place.mongod),
            },
        )  # fmt: skip


def crowd(report: Report, store: str, *, spool: str, jobs: int, rounds: int) -> None:
    """Many jobs at one instant, again and again."""
    with cluster(store, slots=jobs, spool=spool) as found, Client(found.url) as client:
        for _ in range(rounds):
            late = _crowd(client, jobs)
            report.add(
                "A crowd at one tick", store=store, spool=spool, jobs=len(late), **{
                    "first ms": min(late), "p50 ms": sorted(late)[len(late) // 2], "last ms": max(late), **limits.raw(found.place.mongod),
                },
            )  # fmt: skip


def _crowd(client: Client, jobs: int) -> list[float]:
    made = datetime.now(UTC)
    at = (made + _SOON + timedelta(seconds=jobs / 40)).replace(microsecond=0)
    schedules = [{"at": at.isoformat()}]
    ids = [client.create(f"crowd {made.timestamp()} {number}", command=_TELL_TIME, schedules=schedules)["id"] for number in range(jobs)]
    if datetime.now(UTC) > at - timedelta(seconds=2):
        raise RuntimeError("this machine makes jobs too slowly")
    time.sleep((at - datetime.now(UTC)).total_seconds() + 1)
    since = at.isoformat().replace("+00:00", "Z")
    until("the crowd", lambda: len(client.runs(since=since, state="done")) == jobs, seconds=_LONGEST)
    runs = client.runs(since=since, state="done")
    if {run["job"] for run in runs} != set(ids):
        raise RuntimeError("a run is missing, or was made twice")
    return _lateness(client, runs)


def rate(report: Report, store: str, *, spool: str, runs: int, jobs: int = 20) -> None:
    """Short jobs, all asked for as fast as they are taken."""
    with cluster(store, spool=spool) as found, Client(found.url) as client:
        made = [client.create(f"short {number}", command=["/bin/echo", "well"], **_ALLOW) for number in range(jobs)]
        begin = time.monotonic()
        ids = ask_for(found, [job["id"] for job in made], runs)
        asked = time.monotonic() - begin
        until("the end of all runs", lambda: not client.runs(state="queued,claimed,running,retrying"), seconds=_LONGEST)
        until("all lines in the histories", lambda: sum(map(_lines, (client.history(job["canary"]) for job in made))) >= runs)
        seconds = time.monotonic() - begin
        _check(client, ids)
        report.add(
            "Short jobs by run-now", store=store, spool=spool, runs=runs, jobs=jobs, **{
                "runs/s": runs / seconds, "asked for/s": runs / asked, **limits.raw(found.place.mongod),
            },
        )  # fmt: skip


def ask_for(found: Cluster, jobs: list[str], runs: int) -> list[str]:
    def ask(share: Iterable[int]) -> list[str]:
        with Client(found.url) as client:
            return [client.run(jobs[number % len(jobs)]) for number in share]

    with ThreadPoolExecutor(_ASKERS) as pool:
        return [run for some in pool.map(ask, (range(first, runs, _ASKERS) for first in range(_ASKERS))) for run in some]


def _check(client: Client, ids: list[str]) -> None:
    """Each was done, and its output can be read."""
    states = Counter(run["state"] for run in client.runs())
    outputs = Counter(client.output(run) for run in ids)
    if states != {"done": len(ids)} or outputs != {"well\n": len(ids)}:
        raise RuntimeError(f"not all is there: {states} {outputs.most_common(3)}")


def _lines(history: list[list[str]]) -> int:
    return sum(text.startswith("Triggered") for _, text in history)


def _lateness(client: Client, runs: Iterable[dict[str, str]]) -> list[float]:
    """Milliseconds from the tick to the time that the command itself told."""
    return [(float(client.output(run["id"])) - datetime.fromisoformat(run["scheduled_at"]).timestamp()) * 1_000 for run in runs]
