"""Triggers a second, beside what the same server and an empty one answer when they do nothing."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import servers, wrk
from benchmarks.fill import filled
from benchmarks.report import Report
from benchmarks.servers import Place
from benchmarks.wrk import Answers

CONNECTIONS = (1, 16, 64)
WARM_UP_SECONDS = 1.0
_TABLE = "Triggers"


class Case(NamedTuple):
    canaries: int
    history: int
    connections: tuple[int, ...]


FEW = Case(1_000, 1, CONNECTIONS)
FULL = Case(1_000, 1_000, (64,))
MANY = Case(1_000_000, 1, (64,))


def measure(report: Report, store: str, cases: tuple[Case, ...], seconds: float) -> None:
    with servers.directory() as home, servers.place(store, home) as place, servers.noop() as noop:
        for case in cases:
            report.say(f"{store}: filling with {case.canaries:,} canaries of {case.history:,} entries")
            with filled(place.filler, case.canaries, history=case.history), servers.coal_mine(place) as server:
                wrk.load(server.url, connections=16, seconds=WARM_UP_SECONDS, canaries=case.canaries)
                for connections in case.connections:
                    _measure_one(report, store, case, connections, server.pid, server.url, noop, seconds)


def _measure_one(
    report: Report, store: str, case: Case, connections: int, pid: int, url: str, noop: str, seconds: float
) -> None:  # fmt: skip
    used = servers.cpu_seconds(pid)
    found = wrk.load(url, connections=connections, seconds=seconds, canaries=case.canaries)
    used = servers.cpu_seconds(pid) - used
    health = wrk.load(url, connections=connections, seconds=seconds / 2, path="/health")
    empty = wrk.load(noop, connections=connections, seconds=seconds / 2, path="/health")
    report.add(
        _TABLE, **{
            "store": store, "canaries": case.canaries, "history": case.history, "connections": connections,
            "triggers/s": found.rate, "p50 ms": found.p50, "p99 ms": found.p99, "refused": found.refused + found.broken,
            "/health per s": health.rate, "no-op per s": empty.rate,
            "of /health": found.rate / health.rate, "of no-op": found.rate / empty.rate,
            "CPU us/trigger": used / max(found.requests, 1) * 1e6, "memory MiB": servers.resident_mib(pid),
        },
    )  # fmt: skip


def compare(report: Report, other: Path, store: str, *, connections: int, seconds: float, rounds: int, canaries: int = 1_000) -> None:
    """This working copy and another one, in turns, since a machine is never the same for long."""
    here = Path(__file__).parents[1]
    with ExitStack() as stack:
        places = {}
        for checkout in (here, other):
            places[checkout] = stack.enter_context(servers.place(store, stack.enter_context(servers.directory())))
            stack.enter_context(filled(places[checkout].filler, canaries))
        noop = stack.enter_context(servers.noop())
        _compare(report, places, noop, store, canaries, connections, seconds, rounds)


def _compare(
    report: Report, places: dict[Path, Place], noop: str, store: str, canaries: int, connections: int, seconds: float, rounds: int
) -> None:
    here, other = places
    with servers.coal_mine(places[here], checkout=here) as ours, servers.coal_mine(places[other], checkout=other) as theirs:
        found: dict[str, list[Answers]] = {ours.url: [], theirs.url: []}
        limit: list[float] = []
        for number in range(rounds + 1):
            for url, answers in found.items():
                answer = wrk.load(url, connections=connections, seconds=seconds if number else WARM_UP_SECONDS, canaries=canaries)
                answers += [answer] if number else []
            limit.append(wrk.load(noop, connections=connections, seconds=seconds / 2, path="/health").rate)
    mine, others = ([answer.rate for answer in answers] for answers in found.values())
    ratios = [their / our for our, their in zip(mine, others, strict=True)]
    report.add(
        "Comparison", store=store, connections=connections, here=median(mine), other=median(others), noop=median(limit),
        ratio=median(ratios), lowest=min(ratios), highest=max(ratios),
    )  # fmt: skip
