"""Which runs a job's ticks need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .catch_up import caught_up
from .definition import definition_as_text
from .job import CatchUpPolicy, Definition, Job, Mode
from .node import Node
from .run import ANY, Origin, Run, missed, planned, skipped
from .schedule import next_tick, ticks_between

# Runs are written so long before their ticks.
AHEAD = timedelta(minutes=1)
# So many runs of a job are planned at once; after a long outage there may be more, and other jobs wait.
MOST_RUNS = 500
COALESCED = "coalesced: its tick passed while nobody planned, and a newer one runs instead"
NOBODY_PLANNED = "its tick passed while nobody planned"


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs of the ticks from `job.next_at` on, and what `next_at` becomes when they are written."""

    job: Job
    runs: tuple[Run, ...]
    next_at: datetime | None


def plan(job: Job, nodes: Sequence[Node], now: datetime) -> Plan:
    """The ticks up to AHEAD of now. Those that passed a while ago are treated as the catch-up policy says."""
    if job.next_at is None:
        return Plan(job, (), None)
    schedules = job.definition.schedules
    slots = slots_of(job.definition, nodes, now)
    most = max(MOST_RUNS // len(slots), 1)
    ticks = ticks_between(schedules, job.next_at - timedelta(milliseconds=1), now + AHEAD, most)
    if not ticks:
        return Plan(job, (), next_tick(schedules, job.next_at - timedelta(milliseconds=1)))
    newer = _newer(job.definition, ticks, now)
    text = definition_as_text(job.definition)
    runs = [_run(job, text, tick, slot, newer - place, now) for place, tick in enumerate(ticks) for slot in slots]
    return Plan(job, tuple(apart(runs)), next_tick(schedules, ticks[-1]))


def apart(runs: Sequence[Run]) -> list[Run]:
    """Those that end at one moment, each a millisecond before the next one of its job: a canary changes at most once in a millisecond."""
    later: Counter[str] = Counter()
    found = []
    for run in reversed(runs):
        at = run.ended_at
        found.append(replace(run, ended_at=at - timedelta(milliseconds=later[run.job_id])) if at else run)
        later[run.job_id] += at is not None
    return found[::-1]


def slots_of(definition: Definition, nodes: Sequence[Node], now: datetime) -> Sequence[str]:
    """In mode all, the nodes registered now; without any, one slot, so that the tick leaves a record."""
    if definition.mode is Mode.ANY:
        return (ANY,)
    return sorted(node.name for node in nodes if node.is_registered(now) and node.serves(definition.pools)) or (ANY,)


def _newer(definition: Definition, ticks: Sequence[datetime], now: datetime) -> int:
    """How many ticks after the first of these have passed already, as far as the catch-up policy can tell the difference."""
    passed = sum(tick <= now for tick in ticks)
    if passed < len(ticks):
        return passed - 1
    return passed - 1 + len(ticks_between(definition.schedules, ticks[-1], now, definition.catch_up.most))


def _run(job: Job, text: str, tick: datetime, slot: str, newer: int, now: datetime) -> Run:
    """`newer` ticks after this one have passed; negative: it has not passed itself."""
    catch_up = job.definition.catch_up
    start_by = tick + job.definition.start_deadline(tick)
    run = planned(job, tick, slot, origin=Origin.SCHEDULE, start_by=start_by, now=now, text=text)
    waits = catch_up.policy is CatchUpPolicy.ALL  # for all that are older, even if there still is time
    if newer < 0 or (newer == 0 and run.start_by > now and not waits):
        return run
    if catch_up.policy is CatchUpPolicy.NONE or now - tick > timedelta(seconds=catch_up.within_seconds):
        return missed(run, NOBODY_PLANNED, now).after
    if waits and newer < catch_up.most:
        return caught_up(run, now)
    if newer >= 1:
        return replace(skipped(run, COALESCED, now).after, owed=False)
    return caught_up(run, now)
