"""What users do with canaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from coal_mine.domain import canary as states
from coal_mine.domain.canary import MAX_HISTORY, Canary, Entry, Transition, kept_history
from coal_mine.domain.errors import IdTaken, Invalid, StoreUnavailable
from coal_mine.domain.pending import PendingTrigger
from coal_mine.domain.periodicity import InWindows, OfJob
from coal_mine.domain.ports import CanaryFilter, Clock, Ids, Store
from coal_mine.domain.text import checked_comment, slug_of
from coal_mine.domain.windows import Span

from .definitions import Definition
from .search import matcher
from .waking import nobody

# A race that is lost so often is no race any more, but a fault in a store.
_MAX_TRIES = 1_000
_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """How a user names a canary: by id, else by slug, else by name."""

    id: str | None = None
    slug: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A canary with all that there is to show of it."""

    canary: Canary
    history: list[Entry]  # newest first
    windows: list[Span] | None = None  # how its windows play out from now on, if it has any


class Canaries:
    """Every verb validates, asks the domain for the change and lets the store write it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        *,
        deadlines_changed: Callable[[], None] = nobody,
        alert_owed: Callable[[], None] = nobody,
    ) -> None:
        self._store = store.canaries
        self._jobs = store.jobs
        self._clock = clock
        self._ids = ids
        self._deadlines_changed = deadlines_changed
        self._alert_owed = alert_owed

    def create(self, definition: Definition, *, paused: bool = False) -> Shown:
        """Raises Invalid, and Conflict when a canary with the same slug exists."""
        given = definition.as_update(None)
        if given.name is None or given.slug is None:
            raise Invalid("name is missing")
        if given.periodicity is None:
            raise Invalid("periodicity is missing (or give a cron schedule)")
        entry = self._entry("Canary created", "")
        canary = states.created(
            id=self._ids.canary_id(),
            name=given.name,
            slug=given.slug,
            description=given.description or "",
            periodicity=given.periodicity,
            emails=given.emails or (),
            paused=paused,
            at=entry.at,
        )
        canary = self._add(canary, entry)
        self._deadlines_changed()
        return Shown(canary, [entry], _windows_from(canary, entry.at))

    def update(self, reference: Reference, definition: Definition) -> Shown:
        """The reference is an id or a slug: a name would be the new name. Raises Invalid, NotFound, Conflict."""
        if definition.is_empty:
            raise Invalid("nothing to update: give name, periodicity, schedule, grace, timezone, description or email")
        canary_id = self.id_of(replace(reference, name=None))
        now = self._clock.now()

        def change(canary: Canary) -> Transition:
            _refuse_owned(canary)
            return states.updated(canary, definition.as_update(canary.periodicity), now)

        return self._change(canary_id, change)

    def delete(self, reference: Reference) -> None:
        canary_id = self.id_of(reference)
        canary = self._store.get(canary_id)
        if isinstance(canary.periodicity, OfJob) and self._jobs.versions([canary.periodicity.job_id]):  # a crash may leave one of no job
            _refuse_owned(canary)
        self._store.remove(canary_id)
        self._alert_owed()

    def get(self, reference: Reference) -> Shown:
        return self._show(self._store.get(self.id_of(reference)))

    def list(self, wanted: CanaryFilter, search: str | None = None) -> Iterator[Canary]:
        """In the order of creation; `search` as in search.py. Raises Invalid at once, not at the first canary."""
        found = self._store.select(wanted)
        return filter(matcher(search), found) if search else found

    def with_history(self, canaries: Iterator[Canary]) -> Iterator[Shown]:
        now = self._clock.now()
        while page := tuple(islice(canaries, _PAGE)):
            histories = self._store.histories([canary.id for canary in page], limit=MAX_HISTORY)
            yield from (Shown(canary, kept_history(histories.get(canary.id, []), now)) for canary in page)

    @property
    def knows_time(self) -> bool:
        """False: the store has not told its time yet, and whoever needs it waits."""
        return self._clock.is_known

    def wait_for_time(self) -> None:
        """Raises StoreUnavailable when it takes too long."""
        self._clock.now()

    def arrival(self, comment: str) -> Entry:
        """Of a trigger, to be noted before anything that takes time. Raises Invalid, and StoreUnavailable when nobody knows the time."""
        return self._entry("Triggered", comment)

    def trigger(self, pending: PendingTrigger) -> None:
        """See PendingTrigger. Raises StoreUnavailable. Whoever is handed one that recovered calls `alert_owed`."""
        self._store.submit(pending)

    def alert_owed(self) -> None:
        """A change of state owes an alert; wake whoever delivers it."""
        self._alert_owed()

    def pause(self, reference: Reference, comment: str) -> Shown:
        entry = self._entry("Paused", comment)
        return self._switch(reference, lambda canary: states.paused(canary, entry))

    def unpause(self, reference: Reference, comment: str) -> Shown:
        entry = self._entry("Unpaused", comment)
        return self._switch(reference, lambda canary: states.unpaused(canary, entry))

    def _switch(self, reference: Reference, switched: Callable[[Canary], Transition]) -> Shown:
        """Not of a job's canary: paused by hand, it would say nothing of bad runs, and a good one would not end that."""

        def change(canary: Canary) -> Transition:
            _refuse_owned(canary)
            return switched(canary)

        return self._change(self.id_of(reference), change)

    def id_of(self, reference: Reference) -> str:
        """Raises Invalid and NotFound; only a reference by id does not ask the store."""
        if reference.id:
            return reference.id
        slug = reference.slug or slug_of(reference.name or "")
        if not slug:
            raise Invalid("which canary? give its id or slug" + ("" if reference.name is None else ", or a name with letters or digits"))
        return self._store.id_of_slug(slug)

    def _entry(self, what: str, comment: str) -> Entry:
        text = f"{what} ({checked_comment(comment)})" if comment else what
        return Entry(self._clock.now(), text, self._ids.nonce())

    def _add(self, canary: Canary, entry: Entry) -> Canary:
        for _ in range(_MAX_TRIES):
            try:
                self._store.add(canary, entry)
            except IdTaken:
                canary = replace(canary, id=self._ids.canary_id())
            else:
                return canary
        raise StoreUnavailable("no free id was found")

    def _change(self, canary_id: str, change: Callable[[Canary], Transition]) -> Shown:
        for _ in range(_MAX_TRIES):
            transition = change(self._store.get(canary_id))
            if self._store.apply(transition):
                break
        else:
            raise StoreUnavailable(f"canary {canary_id} changes all the time")
        self._deadlines_changed()
        if transition.owe:
            self._alert_owed()
        return self._show(transition.after)

    def _show(self, canary: Canary) -> Shown:
        now = self._clock.now()
        return Shown(canary, kept_history(self._store.history(canary.id, limit=MAX_HISTORY), now), _windows_from(canary, now))


def _refuse_owned(canary: Canary) -> None:
    if isinstance(canary.periodicity, OfJob):
        raise Invalid(f"canary {canary.id} belongs to job {canary.periodicity.job_id}: change or delete the job instead")


def _windows_from(canary: Canary, now: datetime) -> list[Span] | None:
    if not isinstance(canary.periodicity, InWindows):
        return None
    try:
        return canary.periodicity.windows.overview(now)
    except Invalid:  # a predecessor understood it; whoever looks must see the rest of the canary
        return None
