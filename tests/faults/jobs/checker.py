"""Judges a scenario of jobs by what was seen from outside. A verdict without faults means that each tick has its one outcome, that nothing
ran twice, and that everything bad was told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from tests.faults.jobs.facts import Note, Record, Told, Watched

_ENDS = frozenset({"done", "failed", "killed", "lost", "missed", "skipped"})
_NEVER_STARTED = frozenset({"missed", "skipped"})
_KINDS = {"failed": "FAILED", "missed": "MISSED", "lost": "LOST", "unreachable": "LOST"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that is known of one scenario; notes in the order in which they were written."""

    jobs: Sequence[Watched]
    records: Sequence[Record]
    notes: Sequence[Note] = ()
    told: Sequence[Told] = ()
    live: frozenset[str] = frozenset()  # runs that may not have ended yet, for a reason that the scenario knows
    unreachable: frozenset[str] = frozenset()  # runs that were seen so, whatever became of them
    silent: bool = False  # the jobs write no notes


@dataclass(slots=True)
class Verdict:
    counts: Counter[str]
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))


def judge(case: Case) -> Verdict:
    faults = [*_slots(case), *_endings(case), *_starts(case), *_at_once(case), *untold(case)]
    counts = Counter(record.state for record in case.records)
    counts.update(runs=len(case.records), starts=sum(note.word == "start" for note in case.notes), mails=len(case.told))
    return Verdict(counts, faults)


def untold(case: Case) -> list[str]:
    """Which bad ends nobody was told of: what a scenario waits for before it is judged."""
    jobs = {job.id: job for job in case.jobs}
    runs = {(told.run, told.kind) for told in case.told}
    moments = {(told.canary, told.kind, told.at) for told in case.told}
    latest: dict[tuple[str, str], datetime] = {}
    for told in case.told:
        latest[told.canary, told.kind] = max(told.at, latest.get((told.canary, told.kind), told.at))
    canaries = {told.canary for told in case.told}
    found = []
    for record in case.records:
        kind = "LOST" if record.id in case.unreachable else _KINDS.get(record.state)
        job = jobs.get(record.job)
        if kind is None or job is None or (record.id, kind) in runs or (job.canary, kind, record.ended_at) in moments:
            continue
        # Runs of one job that were lost sight of at one moment are told once, and a record does not say when that was.
        if record.id in case.unreachable and latest.get((job.canary, kind), record.tick) > record.tick:
            continue
        # A canary that is late already need not be told why again.
        if not job.tells_all and job.canary in canaries:
            continue
        found.append(f"{record.id}: {kind} was told to nobody: {record.reason}")
    return found


def _slots(case: Case) -> Iterator[str]:
    """Each tick has one record for each slot, and no others have any."""
    found: Counter[tuple[str, object, str]] = Counter()
    for record in case.records:
        if record.origin != "manual":
            found[record.job, record.tick, record.slot] += 1
    wanted = {(job.id, tick, slot) for job in case.jobs for tick in job.ticks for slot in job.slots}
    yield from (f"{job}: no record of {tick:%T.%f} on {slot}" for job, tick, slot in sorted(wanted - found.keys()))
    yield from (f"{job}: {count} records of {tick} on {slot}" for (job, tick, slot), count in found.items() if count > 1)


def _endings(case: Case) -> Iterator[str]:
    for record in case.records:
        if record.state not in _ENDS and record.id not in case.live:
            yield f"{record.id}: still {record.state}, {record.reason}"
        if record.state in _ENDS and record.ended_at is None:
            yield f"{record.id}: {record.state} at no time"


def _starts(case: Case) -> Iterator[str]:
    """At most one for each claim, and those that the record tells of."""
    starts = Counter((note.run, note.epoch) for note in case.notes if note.word == "start")
    ends = {(note.run, note.epoch) for note in case.notes if note.word == "end"}
    yield from (f"{run}: {count} starts of epoch {epoch}" for (run, epoch), count in starts.items() if count > 1)
    records = {record.id: record for record in case.records}
    for run, epoch in starts:
        record = records.get(run)
        if record is None:
            yield f"{run}: started, and there is no record of it"
        elif record.state in _NEVER_STARTED and not record.attempt:
            yield f"{run}: started, and its record says {record.state}"
        elif epoch > record.epoch:
            yield f"{run}: started as epoch {epoch}, and its record knows {record.epoch}"
    if not case.silent:
        for record in case.records:
            if record.state == "done" and not {(record.id, record.epoch)} <= (ends & starts.keys()):
                yield f"{record.id}: done, and epoch {record.epoch} was not seen from start to end"


def _at_once(case: Case) -> Iterator[str]:
    """Nothing is heard of an epoch after a later one of its run has started; nor of a run after the next one of a job that runs alone."""
    alone = {job.id for job in case.jobs if job.alone}
    jobs = {record.id: record.job for record in case.records}
    by_run: dict[str, list[Note]] = defaultdict(list)
    by_job: dict[str, list[Note]] = defaultdict(list)
    for note in case.notes:
        by_run[note.run].append(note)
        if jobs.get(note.run) in alone:
            by_job[jobs[note.run]].append(note)
    for run, notes in by_run.items():
        yield from (f"{run}: epoch {note.epoch} was alive beside a later one" for note in _out_of_turn(notes))
    for job, notes in by_job.items():
        yield from (f"{job}: {note.run} was alive beside another run" for note in _out_of_turn(notes))


def _out_of_turn(notes: Sequence[Note]) -> Iterator[Note]:
    """The lines of those whose lines come back after another's have begun."""
    turns = [list(turn) for _, turn in groupby(notes, key=lambda note: (note.run, note.epoch))]
    seen: set[tuple[str, int]] = set()
    for first, *_ in turns:
        if (first.run, first.epoch) in seen:
            yield first
        seen.add((first.run, first.epoch))
