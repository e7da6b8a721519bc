"""The canary that each job owns."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from coal_mine.domain import canary as states
from coal_mine.domain.canary import Canary, Entry, Transition, Update
from coal_mine.domain.errors import Conflict, IdTaken, NotFound, StoreUnavailable
from coal_mine.domain.job import Definition, Job
from coal_mine.domain.periodicity import OfJob
from coal_mine.domain.ports import Ids, Store
from coal_mine.domain.seconds import whole
from coal_mine.domain.text import MAX_NAME, slug_of

# A run that was not started in time is known as missed before its canary's own deadline passes, which is for what nobody else notices.
SLACK = timedelta(seconds=15)
_MAX_TRIES = 1_000


class JobCanaries:
    """Keeps a job's canary as the job says."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self._store = store.canaries
        self._ids = ids

    def create(self, job_id: str, definition: Definition, now: datetime, *, version: int) -> str:
        """The new canary's id; it follows that version of the job. Raises Conflict when no name can be found for it."""
        periodicity = _periodicity(job_id, definition, now, version)
        for name in _names(job_id, definition):
            canary = states.created(
                id=self._ids.canary_id(),
                name=name,
                slug=slug_of(name),
                description=definition.description,
                periodicity=periodicity,
                emails=definition.emails,
                paused=not definition.enabled,
                at=now,
            )
            try:
                return self._add(canary, Entry(now, "Canary created", self._ids.nonce()))
            except Conflict:
                continue
        raise Conflict(f"canaries with the names that job {job_id} would give its own exist already: rename them, or the job")

    def follow(self, job: Job, now: datetime) -> str:
        """After a change of the job: the id of its canary, a new one when somebody has deleted it.

        One that follows a newer version already stays as it is: changes may come here in another order than they were stored.
        """
        try:
            self._change(job.canary_id, job, now)
        except NotFound:
            return self.create(job.id, job.definition, now, version=job.version)
        return job.canary_id

    def delete(self, canary_id: str) -> None:
        """One that does not exist is as good as deleted."""
        try:
            self._store.remove(canary_id)
        except NotFound:
            return

    def _add(self, canary: Canary, entry: Entry) -> str:
        for _ in range(_MAX_TRIES):
            try:
                self._store.add(canary, entry)
            except IdTaken:
                canary = replace(canary, id=self._ids.canary_id())
            else:
                return canary.id
        raise StoreUnavailable("no free id was found")

    def _change(self, canary_id: str, job: Job, now: datetime) -> None:
        for name in _names(job.id, job.definition):
            try:
                self._change_with(name, canary_id, job, now)
            except Conflict:
                continue
            else:
                return
        self._change_with(None, canary_id, job, now)

    def _change_with(self, name: str | None, canary_id: str, job: Job, now: datetime) -> None:
        """Without a name it keeps its own. Raises Conflict when another canary has it."""
        update = Update(
            name=name,
            slug=None if name is None else slug_of(name),
            description=job.definition.description,
            emails=job.definition.emails,
            periodicity=_periodicity(job.id, job.definition, now, job.version),
        )
        for _ in range(_MAX_TRIES):
            canary = self._store.get(canary_id)
            if _followed(canary) > job.version:
                return
            if canary.paused == job.definition.enabled:
                self._apply(self._switched(canary, now))
            # Written only if it is still (un)paused as the job says, so both hold together with the version.
            elif self._apply(states.updated(canary, update, now)):
                return
        raise StoreUnavailable(f"canary {canary_id} changes all the time")

    def _switched(self, canary: Canary, now: datetime) -> Transition:
        change, text = (states.unpaused, "Unpaused (job enabled)") if canary.paused else (states.paused, "Paused (job disabled)")
        return change(canary, Entry(now, text, self._ids.nonce()))

    def _apply(self, transition: Transition) -> bool:
        return self._store.apply(transition)


def _followed(canary: Canary) -> int:
    """The version of the job that it follows."""
    return canary.periodicity.job_version if isinstance(canary.periodicity, OfJob) else 0


def _periodicity(job_id: str, definition: Definition, now: datetime, version: int) -> OfJob:
    grace = max(definition.start_deadline(now), definition.run_limit() or timedelta()) + SLACK
    if definition.grace_seconds is None:  # else somebody has said how long it may take with all its attempts
        retries = definition.retries
        grace += sum((retries.longest_wait(after=earlier) for earlier in range(retries.most)), timedelta())
    return OfJob(job_id, definition.schedules, whole(grace.total_seconds()), version)


def _names(job_id: str, definition: Definition) -> tuple[str, str]:
    """The job's own, and one that is its own even if another canary has that."""
    name = " ".join([*job_id.split(":")[:-1], definition.name])
    suffix = f" ({job_id})"
    return name[:MAX_NAME], name[: MAX_NAME - min(len(suffix), 200)] + suffix[:200]
