"""What users do with jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from coal_mine.domain import run as states
from coal_mine.domain.audit import AuditStore
from coal_mine.domain.definition import definition_from, merged
from coal_mine.domain.errors import Changed, Conflict, NotFound, StoreUnavailable, job_exists
from coal_mine.domain.job import Definition, Job, coming_ticks, first_tick
from coal_mine.domain.job_ports import JobFilter
from coal_mine.domain.planning import plan
from coal_mine.domain.ports import Clock, Ids, Store
from coal_mine.domain.run import Origin, Run, RunState

from .audit import JobAudit, printed
from .job_bodies import for_job, new_job
from .job_warnings import warnings_of
from .waking import nobody

MAX_PAGE = 1_000
MAX_TICKS = 100
_MAX_TRIES = 1_000
# So many rounds of planning for ticks that passed unplanned before a change; more than ten thousand ticks nobody will read.
_MAX_ROUNDS = 20
# What a canary follows whose job is not settled yet; the first version is 1.
_NO_VERSION = 0


class JobCanaries(Protocol):
    """The canaries that jobs own."""

    def create(self, job_id: str, definition: Definition, now: datetime, *, version: int) -> str:
        """The new canary's id; it follows that version of the job."""

    def follow(self, job: Job, now: datetime) -> str:
        """Make the canary as the job says now; its id, a new one when somebody has deleted it."""

    def delete(self, canary_id: str) -> None:
        """One that does not exist is as good as deleted."""


@dataclass(frozen=True, slots=True)
class ShownJob:
    job: Job
    warnings: list[str]
    last_run: Run | None  # the newest that is more than planned
    next_at: datetime | None  # its next tick; None while disabled, and when none will come


@dataclass(frozen=True, slots=True)
class Preview:
    """What a definition would do, if it were stored."""

    definition: Definition
    ticks: Sequence[datetime]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class JobPage:
    jobs: Sequence[ShownJob]
    next: str | None  # behind which the next page begins
    total: int


class Jobs:
    """Every verb validates, computes what is planned next, lets the store write it, and then puts runs and canary right.

    A crash after the job's own write leaves runs and canary as they were. Repeating the call mends that, even if it changes nothing else;
    if nobody does, a background notices and calls `settle`. `by` is who calls, for the audit log.
    """

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, canaries: JobCanaries, *, plans_changed: Callable[[], None] = nobody,
        audit: AuditStore | None = None,
    ) -> None:  # fmt: skip
        """`audit` is where to write what was changed, if it is not the store's own."""
        self._jobs = store.jobs
        self._runs = store.runs
        self._nodes = store.nodes
        self._canary_store = store.canaries
        self._clock = clock
        self._ids = ids
        self._canaries = canaries
        self._audit = JobAudit(audit or store.audit)
        self._plans_changed = plans_changed

    def create(self, body: object, *, by: str = "") -> ShownJob:
        """Raises Invalid, and Conflict when there is a job with this id."""
        given = new_job(body)
        now = self._clock.now()
        for _ in range(_MAX_TRIES):
            job_id = ":".join([*given.namespace, given.id or self._ids.job_id()])
            definition = definition_from(given.definition, job_id=job_id, now=now)
            try:
                job = self._add(job_id, definition, now, by)
            except Conflict:
                if given.id:
                    raise
            else:
                job = self._followed(job, now)
                self._plans_changed()
                return self._shown(job, now)
        raise StoreUnavailable("no free id was found")

    def preview(self, body: object) -> Preview:
        """Stores nothing. Raises Invalid."""
        given = new_job(body)
        now = self._clock.now()
        job_id = ":".join([*given.namespace, given.id or self._ids.job_id()])
        definition = definition_from(given.definition, job_id=job_id, now=now)
        return Preview(definition, self._coming(definition, now, 10), warnings_of(definition, self._nodes.all(), now))

    def get(self, job_id: str) -> ShownJob:
        return self._shown(self._jobs.get(job_id), self._clock.now())

    def list(self, wanted: JobFilter, *, after: str = "", limit: int = 100) -> JobPage:
        """By id."""
        found = self._jobs.select(wanted, after=after, limit=limit + 1)
        shown = self._all_shown(found[:limit], self._clock.now())
        return JobPage(shown, found[limit - 1].id if len(found) > limit else None, self._jobs.count(wanted))

    def replace(self, job_id: str, body: object, *, version: int | None = None, by: str = "") -> ShownJob:
        """Raises Invalid, NotFound, and Changed when the job has another version than the one given."""
        return self._change(job_id, lambda job: for_job(body, job), version, by)

    def patch(self, job_id: str, body: object, *, version: int | None = None, by: str = "") -> ShownJob:
        """Replace the fields that are given, each as a whole. Raises as `replace`."""
        return self._change(job_id, lambda job: merged(job.definition, for_job(body, job)), version, by)

    def enable(self, job_id: str, *, by: str = "") -> ShownJob:
        return self.patch(job_id, {"enabled": True}, by=by)

    def disable(self, job_id: str, *, by: str = "") -> ShownJob:
        """Nothing more is planned; what is under way goes on."""
        return self.patch(job_id, {"enabled": False}, by=by)

    def delete(self, job_id: str, *, version: int | None = None, by: str = "") -> None:
        """What is under way goes on, and the records of runs stay. Raises NotFound and Changed.

        It is disabled first. So whatever a crash leaves, a disabled job or the paused canary of none, alerts nobody by mistake.
        """
        for _ in range(_MAX_TRIES):
            before, disabled, now = self._written(job_id, lambda job: merged(job.definition, {"enabled": False}), version, by)
            self._settled(disabled, now, "the job was deleted")
            if job := self._jobs.remove(disabled):
                break
        else:
            raise _changing(job_id)
        self._audit.deleted(before, by, now)
        self._canaries.delete(job.canary_id)
        self._give_up_waiting(job_id)
        self._plans_changed()

    def settle(self, job_id: str) -> None:
        """Repeat what follows a change of the job, for whoever has made it and died in between. Raises NotFound."""
        job, now = self._jobs.get(job_id), self._clock.now()
        self._audit.repeat(job, now)
        self._settled(job, now, "the job was disabled")

    def next_ticks(self, job_id: str, count: int = 10) -> Sequence[datetime]:
        """Each in the zone of its schedule; of a disabled job those that it would have."""
        return self._coming(self._jobs.get(job_id).definition, self._clock.now(), count)

    def _add(self, job_id: str, definition: Definition, now: datetime, by: str) -> Job:
        """The canary first: a job is never without one. A crash in between leaves a canary of no job, which alerts, and can be deleted.

        It does not follow the job yet, so that a background notices a crash before the entry in the audit log.
        """
        if self._jobs.versions([job_id]):
            raise job_exists(job_id)
        canary_id = self._canaries.create(job_id, definition, now, version=_NO_VERSION)
        job = Job(
            id=job_id, definition=definition, canary_id=canary_id, version=1,
            created_at=now, changed_at=now, next_at=first_tick(definition, now), changed_by=printed(by),
        )  # fmt: skip
        try:
            self._jobs.add(job)
        except Conflict:  # somebody was faster
            self._canaries.delete(canary_id)
            raise
        self._audit.created(job)
        return job

    def _change(self, job_id: str, define: Callable[[Job], Mapping[str, Any]], version: int | None, by: str) -> ShownJob:
        before, after, now = self._written(job_id, define, version, by)
        if after != before:
            self._audit.changed(before, after)
        return self._shown(self._settled(after, now, "the job was disabled"), now)

    def _written(self, job_id: str, define: Callable[[Job], Mapping[str, Any]], version: int | None, by: str) -> tuple[Job, Job, datetime]:
        """The job before and after, and when."""
        for _ in range(_MAX_TRIES):
            now = self._clock.now()
            before = self._jobs.get(job_id)
            if version not in (None, before.version):
                raise Changed(f"job {job_id} has version {before.version}, not {version}: get it again")
            definition = definition_from(define(before), job_id=job_id, now=now)
            self._record_what_has_passed(before, now)
            self._tell_what_was_not_told(before, now)
            after = self._next_version(before, definition, now, by)
            if after == before or self._jobs.replace(before, after):
                return before, after, now
        raise _changing(job_id)

    @staticmethod
    def _next_version(job: Job, definition: Definition, now: datetime, by: str) -> Job:
        if definition == job.definition:
            return job
        return replace(
            job, definition=definition, version=job.version + 1, changed_at=now, changed_by=printed(by), next_at=first_tick(definition, now)
        )

    def _tell_what_was_not_told(self, job: Job, now: datetime) -> None:
        """Of its latest change, which nobody would notice after the next one."""
        followed = self._canary_store.followed([job.canary_id]).get(job.canary_id)
        self._audit.repeat(job, now, only_if_missing=followed == job.version)

    def _record_what_has_passed(self, job: Job, now: datetime) -> None:
        """Ticks that nobody has planned, because no planner lived: the job forgets them when it is planned anew."""
        nodes = self._nodes.all() if job.next_at and job.next_at <= now else []
        for _ in range(_MAX_ROUNDS):
            if job.next_at is None or job.next_at > now:
                return
            found = plan(job, nodes, now)
            self._runs.add([run for run in found.runs if run.tick <= now])
            job = replace(job, next_at=found.next_at)

    def _settled(self, job: Job, now: datetime, reason: str) -> Job:
        """What was planned by an older version goes, and the canary follows. All of it may be repeated."""
        self._runs.withdraw(job.id, below=job.version, after=now)
        if not job.definition.enabled:
            self._skip(job, now, reason)
        job = self._followed(job, now)
        self._plans_changed()
        return job

    def _followed(self, job: Job, now: datetime) -> Job:
        """With its canary, which is as the job says."""
        canary_id = self._canaries.follow(job, now)
        return job if canary_id == job.canary_id else self._with_canary(job, canary_id)

    def _with_canary(self, job: Job, canary_id: str) -> Job:
        """Under the same version, since nothing that is planned changes."""
        after = replace(job, canary_id=canary_id)
        try:
            if self._jobs.replace(job, after):
                return after
        except NotFound:  # nobody else knows of this canary
            self._canaries.delete(canary_id)
            raise
        self._canaries.delete(canary_id)  # somebody else has changed the job, and makes its canary follow, too
        return self._jobs.get(job.id)

    def _skip(self, job: Job, now: datetime, reason: str) -> None:
        """Queued runs whose tick has passed: those asked for by hand are not the schedules', and may still run.

        Nor are those of a newer version skipped, by which somebody has enabled the job meanwhile.
        """
        waiting = [run for run in self._runs.waiting_of(job.id) if run.state is RunState.QUEUED and run.job_version <= job.version]
        passed = [run for run in waiting if run.origin is not Origin.MANUAL and run.tick <= now]
        if passed:
            self._runs.change([states.skipped(run, reason, now) for run in passed])

    def _give_up_waiting(self, job_id: str) -> None:
        now = self._clock.now()
        waiting = self._runs.waiting_of(job_id)
        if waiting:
            self._runs.change([states.killed(run, "the job was deleted", now) for run in waiting])

    def _shown(self, job: Job, now: datetime) -> ShownJob:
        return self._all_shown([job], now)[0]

    def _all_shown(self, jobs: Sequence[Job], now: datetime) -> Sequence[ShownJob]:
        nodes, latest = self._nodes.all(), self._runs.latest([job.id for job in jobs])
        return [ShownJob(job, warnings_of(job.definition, nodes, now), latest.get(job.id), first_tick(job.definition, now)) for job in jobs]

    @staticmethod
    def _coming(definition: Definition, now: datetime, count: int) -> Sequence[datetime]:
        ticks = coming_ticks(definition.schedules, now, count)
        return [tick.astimezone(_zone_of(tick, definition)) for tick in ticks]


def _changing(job_id: str) -> StoreUnavailable:
    return StoreUnavailable(f"job {job_id} changes all the time")


def _zone_of(tick: datetime, definition: Definition) -> ZoneInfo:
    before = tick - timedelta(milliseconds=1)
    return ZoneInfo(next(schedule.timezone for schedule in definition.schedules if schedule.tick_after(before) == tick))
