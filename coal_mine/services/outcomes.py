"""Tells a job's canary, and those who want a report, what became of a run.

The write that ends a run leaves it `owed`. Whoever wrote it calls `tell` at once; when he dies before, the sweeper does it later.
Told twice, nothing changes: the canary knows the line in its history, and the outbox the report.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from coal_mine.clock import monotonic
from coal_mine.domain import canary as states
from coal_mine.domain.alert import REPORTS, Alert, Kind
from coal_mine.domain.canary import Canary, Entry, Transition
from coal_mine.domain.errors import NotFound, StoreUnavailable
from coal_mine.domain.job import FailureAlerts, Job, MailReport
from coal_mine.domain.job_ports import RunFilter
from coal_mine.domain.pending import PendingTrigger
from coal_mine.domain.ports import TRIGGER_SECONDS, Store
from coal_mine.domain.run import ANY, Origin, Run, RunState, entry_nonce
from coal_mine.domain.times import isoformat

from .run_output import last_lines

_log = logging.getLogger(__name__)

# After so many ticks in a row that found an earlier run still under way, somebody is told.
SKIPS_TOLD = 3
_MAX_TRIES = 1_000
_FAILED_AGAIN_SECONDS = 60.0
_BAD = {
    RunState.FAILED: Kind.FAILED,
    RunState.MISSED: Kind.MISSED,
    RunState.LOST: Kind.LOST,
    RunState.UNREACHABLE: Kind.LOST,
}


@dataclass(frozen=True, slots=True)
class _Told:
    """A run, and the job whose canary hears of it; None: it has been deleted."""

    run: Run
    job: Job | None


def _nobody(_runs: Sequence[Run]) -> None:
    """Nobody wants documents."""


class Outcomes:
    def __init__(self, store: Store, *, alert_owed: Callable[[], None], owe_documents: Callable[[Sequence[Run]], None] = _nobody) -> None:
        """`alert_owed` is called when a canary, or somebody who reads reports, is owed one; `owe_documents` with all that is told."""
        self._store = store
        self._alert_owed = alert_owed
        self._owe_documents = owe_documents
        self._set_aside: dict[str, float] = {}  # runs that cannot be told, and when it is tried again

    def tell(self, runs: Sequence[Run]) -> None:
        """Raises StoreUnavailable; then some may have been told, and all of them may be told again."""
        now = monotonic()
        self._set_aside = {run_id: again_at for run_id, again_at in self._set_aside.items() if again_at > now}
        runs = [run for run in runs if run.owed and run.id not in self._set_aside]
        if not runs:
            return
        try:
            self._tell(runs)
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - one that cannot be told must not keep the others from being
            if len(runs) > 1:
                for run in runs:
                    self.tell([run])
                return
            _log.exception("what became of run %s cannot be told; trying again in a minute", runs[0].id, extra={"action": "tell_failed"})
            self._set_aside[runs[0].id] = now + _FAILED_AGAIN_SECONDS

    def _tell(self, runs: Sequence[Run]) -> None:
        jobs = self._store.jobs.find({run.job_id for run in runs})
        told = [_Told(run, jobs.get(run.job_id)) for run in runs]
        good = {one.run.id for one in told if self._is_good(one.run)}
        for one in told:  # first: a good run that ended later is a recovery, and one that ended earlier changes nothing
            if one.job and one.run.id not in good:
                self._tell_other(one.run, one.job)
        self._tell_good([one for one in told if one.run.id in good])
        self._mail([run for run in runs if _wants_report(run)])
        self._owe_documents(runs)
        self._store.runs.settled(runs)

    def _tell_good(self, told: Sequence[_Told]) -> None:
        """All at once: the store commits triggers together."""
        good = {one.run.id: (one.job.canary_id, _entry(one.run, "Triggered")) for one in told if one.job}
        handed_back = _HandedBack(len(good))
        expires = monotonic() + TRIGGER_SECONDS
        for canary_id, entry in good.values():
            self._store.canaries.submit(PendingTrigger(canary_id, entry, handed_back, expires))
        for pending in handed_back.all(TRIGGER_SECONDS + 1):
            if pending.error and not isinstance(pending.error, NotFound):  # somebody has deleted the canary
                raise pending.error
            if pending.outcome and pending.outcome.recovered:
                self._alert_owed()

    def _is_good(self, run: Run) -> bool:
        """Where all nodes run a tick, it is well only when all have done it that an operator has not kept from it; the last says so."""
        if run.slot == ANY:
            return run.state is RunState.DONE
        if not _is_no_failure(run):
            return False
        runs = self._store.runs.of_tick(run.job_id, run.tick)
        return all(map(_is_no_failure, runs)) and any(other.state is RunState.DONE for other in runs)

    def _tell_other(self, run: Run, job: Job) -> None:
        with suppress(NotFound):
            if run.state in _BAD:
                self._fail(run, job, _BAD[run.state], _detail(self._store, run))
            elif run.state is RunState.KILLED:
                self._excuse(run, job, _entry(run, "Killed"))
            elif run.overlapped and self._are_told(run):
                self._fail(run, job, Kind.LATE, f"{SKIPS_TOLD} ticks in a row were skipped: {run.reason}")
            elif run.state is RunState.SKIPPED and not run.overlapped:
                self._excuse(run, job, None)

    def _excuse(self, run: Run, job: Job, entry: Entry | None) -> None:
        """A run by hand belongs to no tick, and the canary goes on waiting for the schedule's."""
        if run.origin is not Origin.MANUAL:
            self._apply(job.canary_id, lambda canary: states.excused(canary, run.tick, entry))
        elif entry:
            self._apply(job.canary_id, lambda canary: states.noted(canary, entry))

    def _fail(self, run: Run, job: Job, kind: Kind, detail: str) -> None:
        every = job.definition.failure_alerts is FailureAlerts.EVERY
        entry = _entry(run, kind.capitalize())
        self._apply(job.canary_id, lambda canary: states.failed(canary, entry, kind, detail, every=every))
        self._alert_owed()

    def _are_told(self, run: Run) -> bool:
        """Whether the newest ticks of its slot were skipped in a row because of an earlier run, and are enough."""
        slots = 1 if run.slot == ANY else len(self._store.runs.of_tick(run.job_id, run.tick))
        wanted = RunFilter(job_id=run.job_id, until=run.tick + timedelta(milliseconds=1))
        found = [each for each in self._store.runs.select(wanted, limit=SKIPS_TOLD * slots) if each.slot == run.slot]
        return len(found) == SKIPS_TOLD and all(each.overlapped for each in found)

    def _apply(self, canary_id: str, change: Callable[[Canary], Transition]) -> None:
        for _ in range(_MAX_TRIES):
            if self._store.canaries.apply(change(self._store.canaries.get(canary_id))):
                return
        raise StoreUnavailable(f"canary {canary_id} changes all the time")

    def _mail(self, runs: Sequence[Run]) -> None:
        if runs:
            self._store.outbox.add([_report(run) for run in runs])
            self._alert_owed()


class _HandedBack:
    """Collects triggers that the store hands back."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._known: list[PendingTrigger] = []
        self._complete = threading.Event()
        self([])

    def __call__(self, known: list[PendingTrigger]) -> None:
        self._known += known
        if len(self._known) >= self._count:
            self._complete.set()

    def all(self, patience: float) -> list[PendingTrigger]:
        if not self._complete.wait(patience):
            raise StoreUnavailable("triggers of runs were not committed in time")
        return self._known


def _is_no_failure(run: Run) -> bool:
    return run.state is RunState.DONE or (run.state is RunState.SKIPPED and not run.overlapped)


def _entry(run: Run, what: str) -> Entry:
    """A line of the canary's history; equal whenever and by whomever it is made."""
    at = run.ended_at or run.tick
    where = f" on {run.node}" if run.node else ""
    why = f": {run.reason}" if run.reason else f": done in {_seconds(run)}"
    return Entry(at, f"{what} (run of {isoformat(run.tick)}{where}{why})", entry_nonce(run))


def _seconds(run: Run) -> str:
    ended_at = run.result.ended_at if run.result else run.ended_at
    if run.started_at is None or ended_at is None:
        return "no time"
    return f"{(ended_at - run.started_at).total_seconds():.1f} s"


def _detail(store: Store, run: Run) -> str:
    """What a person needs in order to begin looking."""
    lines = [f"Run {run.id}" + (f" on node {run.node}" if run.node else "") + f": {run.state}, {run.reason}"]
    output = last_lines(store.output, run)
    if output:
        lines += ["", "The last lines of its output:", "", *output]
    return "\n".join(lines)


def _wants_report(run: Run) -> bool:
    definition = run.definition
    stdout, stderr = (run.result.stdout_bytes, run.result.stderr_bytes) if run.result else (0, 0)
    return (
        run.has_ended
        and {
            MailReport.NEVER: False,
            MailReport.ERROR: run.state not in (RunState.DONE, RunState.SKIPPED),
            MailReport.STDOUT: stdout > 0,
            MailReport.STDERR: stderr > 0,
            MailReport.OUTPUT: stdout + stderr > 0,
            MailReport.ALWAYS: run.state is not RunState.SKIPPED,
        }[definition.mail_report]
    )


def _report(run: Run) -> Alert:
    return Alert(
        kind=Kind.REPORT,
        about=run.id,
        name=run.definition.name,
        at=run.ended_at or run.tick,
        deadline=None,
        emails=run.definition.mail_to,
        channel=REPORTS,
    )
