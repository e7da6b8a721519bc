"""The command line of the benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks import job_nodes, jobs, latency, planning, predecessor, servers, storms, triggers
from benchmarks.cluster import SPOOLS
from benchmarks.report import Report

_RESULTS = Path("build/benchmarks")
_store = click.option("--store", "stores", multiple=True, type=click.Choice(servers.STORES), help="May be repeated. Default: all.")
_seconds = click.option("--seconds", type=float, default=5.0, show_default=True, help="For each measurement.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure Coal Mine on this machine; everything is reported beside what limits it, since no two machines are alike."""


@main.command("triggers")
@_store
@_seconds
@click.option("--case", "names", multiple=True, type=click.Choice(["few", "full", "many"]), help="May be repeated. Default: all.")
def _triggers(stores: tuple[str, ...], seconds: float, names: tuple[str, ...]) -> None:
    """Triggers a second."""
    known = {"few": triggers.FEW, "full": triggers.FULL, "many": triggers.MANY}
    report = Report()
    for store in stores or servers.STORES:
        triggers.measure(report, store, tuple(known[name] for name in names or known), seconds)
    report.show()


@main.command("compare")
@click.argument("other", type=click.Path(exists=True, path_type=Path))
@_store
@_seconds
@click.option("--connections", type=int, default=64, show_default=True)
@click.option("--rounds", type=int, default=5, show_default=True)
@click.option("--canaries", type=int, default=1_000, show_default=True)
def _compare(other: Path, stores: tuple[str, ...], seconds: float, connections: int, rounds: int, canaries: int) -> None:
    """This working copy beside another one, in turns."""
    report = Report()
    for store in stores or ("sqlite", "mongo"):
        triggers.compare(report, other.resolve(), store, connections=connections, seconds=seconds, rounds=rounds, canaries=canaries)
    report.show()


@main.command("latency")
@_store
@click.option("--alerts", type=int, default=300, show_default=True)
def _latency(stores: tuple[str, ...], alerts: int) -> None:
    """From the deadline to the arrival of the mail."""
    report = Report()
    for store in stores or servers.STORES:
        for loaded in (False, True):
            latency.measure(report, store, alerts=alerts, loaded=loaded)
    report.show()


@main.command("storms")
@_store
@click.option("--due", "counts", type=int, multiple=True, default=(1_000, 10_000), show_default=True, help="May be repeated.")
@click.option("--digest/--no-digest", "digest", default=None, help="Default: both.")
def _storms(stores: tuple[str, ...], counts: tuple[int, ...], digest: bool | None) -> None:
    """Many canaries due at one instant."""
    report = Report()
    for store in stores or ("sqlite", "mongo"):
        for count in counts:
            for each in (True, False) if digest is None else (digest,):
                storms.measure(report, store, count=count, digest=each)
    report.show()


@main.command("predecessor")
@_seconds
@click.option("--history", "histories", type=int, multiple=True, default=(1, 1_000), show_default=True)
def _predecessor(seconds: float, histories: tuple[int, ...]) -> None:
    """coal_mine 0.7.1 on the same mongod; installs it from PyPI the first time."""
    report = Report()
    for history in histories:
        for connections in (1, 64):
            predecessor.measure(report, history=history, connections=connections, seconds=seconds)
    report.show()


_PARTS = ("one", "crowd", "rate", "memory", "death", "planning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of everything that concerns jobs is measured."""

    ticks: int  # of one job, one each second
    crowds: tuple[int, ...]  # jobs at one tick
    rounds: int  # of each crowd, and of short jobs
    runs: int  # short ones
    planned: int  # jobs
    spool: str = "memory"  # where nodes keep their runs


@main.command("jobs")
@_store
@click.option("--part", "parts", multiple=True, type=click.Choice(_PARTS), help="May be repeated. Default: all.")
@click.option("--ticks", type=int, default=200, show_default=True, help="Of one job, one each second.")
@click.option("--crowd", "crowds", type=int, multiple=True, default=(50, 500), show_default=True, help="Jobs at one tick. May be repeated.")
@click.option("--rounds", type=int, default=3, show_default=True, help="Of each crowd, and of short jobs.")
@click.option("--runs", type=int, default=3_000, show_default=True, help="Short ones.")
@click.option("--planned", type=int, default=100_000, show_default=True, help="Jobs to plan.")
@click.option("--spool", type=click.Choice(SPOOLS), default="memory", show_default=True, help="Where nodes keep their runs.")
def _jobs(
    stores: tuple[str, ...], parts: tuple[str, ...], ticks: int, crowds: tuple[int, ...], rounds: int, runs: int, planned: int, spool: str
) -> None:
    """Starts after ticks, short jobs, the memory of a node, its death, and planning."""
    sizes = Sizes(ticks=ticks, crowds=crowds, rounds=rounds, runs=runs, planned=planned, spool=spool)
    report = Report()
    for store in stores or ("sqlite", "replica-set"):
        _measure_jobs(report, store, parts or _PARTS, sizes)
    report.show()


def _measure_jobs(report: Report, store: str, parts: tuple[str, ...], sizes: Sizes) -> None:
    """Nodes of their own, and filling 100,000 jobs at once, are for MongoDB."""
    if "one" in parts:
        jobs.one(report, store, spool=sizes.spool, ticks=sizes.ticks, period=1)
    for crowd in sizes.crowds if "crowd" in parts else ():
        jobs.crowd(report, store, spool=sizes.spool, jobs=crowd, rounds=sizes.rounds)
    for _ in range(sizes.rounds if "rate" in parts else 0):
        jobs.rate(report, store, spool=sizes.spool, runs=sizes.runs)
    if store == "sqlite":
        return
    if "memory" in parts:
        job_nodes.memory(report, store, runs=10_000)
    if "death" in parts:
        job_nodes.death(report, store)
    if "planning" in parts:
        planning.measure(report, store, jobs=sizes.planned, seconds=120)


@main.command("all")
@click.option("--long", "is_long", is_flag=True, help="More of everything: about an hour instead of ten minutes.")
@click.option(
    "--results", type=click.Path(path_type=Path), default=_RESULTS, show_default=True, help="Directory for results.json and .rst."
)
def _all(is_long: bool, results: Path) -> None:
    """Everything, in one run."""
    report = Report(results)
    seconds = 15.0 if is_long else 2.0
    for store in servers.STORES:
        triggers.measure(report, store, _cases(store, is_long), seconds)
    for history in (1, 1_000):
        for connections in (1, 16, 64) if is_long else (64,):
            predecessor.measure(report, history=history, connections=connections, seconds=max(seconds, 5))
    for store in servers.STORES if is_long else ("sqlite", "mongo"):
        for loaded in (False, True):
            latency.measure(report, store, alerts=1_000 if is_long else 200, loaded=loaded)
    for store, count, digest in _storms_of(is_long):
        storms.measure(report, store, count=count, digest=digest)
    for store in ("sqlite", "replica-set"):
        parts = _PARTS if is_long else ("one", "crowd", "rate")
        ticks, crowds, rounds = (600, (50, 500), 5) if is_long else (60, (50,), 1)
        _measure_jobs(report, store, parts, Sizes(ticks=ticks, crowds=crowds, rounds=rounds, runs=2_000, planned=100_000))
    report.show()


def _cases(store: str, is_long: bool) -> tuple[triggers.Case, ...]:
    """Filling a replica set with a million takes minutes."""
    every = (triggers.FEW, triggers.FULL, triggers.MANY)
    return every if is_long or store != "replica-set" else every[:1]


def _storms_of(is_long: bool) -> list[tuple[str, int, bool]]:
    if is_long:
        return [(store, count, digest) for store in servers.STORES for count in (1_000, 10_000, 100_000) for digest in (True, False)]
    both = [(store, count, digest) for store in ("sqlite", "mongo") for count, digest in ((1_000, True), (1_000, False), (100_000, True))]
    return [*both, ("sqlite", 10_000, False)]


if __name__ == "__main__":
    main()
