"""The canary and its changes of state, each a pure function of (canary, event, now)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zlib import crc32

from .alert import Alert, Kind
from .errors import Invalid
from .periodicity import OfJob, Periodicity
from .times import to_millis

# The seed's rule: history is pruned when >1000 or (>100 and older than one week).
MAX_HISTORY = 1_000
KEPT_HISTORY = 100
HISTORY_AGE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a canary's history."""

    at: datetime
    text: str
    nonce: str = ""  # tells apart entries of the same millisecond; repeating a write with the same nonce changes nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Something that must be triggered before its deadline. `late` and `paused` together occur only in a predecessor's database."""

    id: str  # eight letters, part of the trigger URL
    name: str
    slug: str  # unique; follows from the name
    description: str
    periodicity: Periodicity
    emails: tuple[str, ...]
    paused: bool
    late: bool
    cause: Kind | None = None  # why it is late, when not by its deadline
    deadline: datetime | None  # None while paused
    last_event_at: datetime  # the newest trigger, pause, unpause or creation; never goes back
    version: int = 0  # raised when the periodicity changes, so that nobody sets a deadline by an old one
    owed: tuple[Alert, ...] = ()  # alerts of past changes that were not yet handed to the outbox

    def is_due(self, now: datetime) -> bool:
        """Must it be marked late? The stores' bulk form of this rule must say the same."""
        return not self.late and not self.paused and self.deadline is not None and self.deadline <= now

    @property
    def ignores_triggers(self) -> bool:
        """A job that is disabled stays so, even when its last run ends well."""
        return self.paused and isinstance(self.periodicity, OfJob)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change of one canary, to be written atomically and only while the fields that it depends on are as they were."""

    before: Canary
    after: Canary
    depends_on: frozenset[str]
    entry: Entry | None = None
    owe: tuple[Alert, ...] = ()  # in the order in which people shall hear of them
    withdraw: Alert | None = None  # an alert still in `before.owed`; the change fails when it has left there meanwhile

    @property
    def changed(self) -> frozenset[str]:
        """The names of the fields, `owed` excepted, whose values differ."""
        return frozenset(name for name in _FIELDS if getattr(self.before, name) != getattr(self.after, name))


@dataclass(frozen=True, slots=True)
class Triggered:
    """What a trigger found: was the canary late, was it paused?"""

    recovered: bool
    unpaused: bool


# What a trigger finds in the ordinary case: neither late nor paused, before the deadline, and no newer event. Then the deadline and the
# time of the newest event move and nothing else happens; stores may take this short cut instead of asking `triggered`.
ORDINARY = Triggered(recovered=False, unpaused=False)

_FIELDS = tuple(name for name in Canary.__slots__ if name not in ("id", "owed"))
_STATE = frozenset({"late", "cause", "paused", "version", "last_event_at"})


def created(
    *, id: str, name: str, slug: str, description: str, periodicity: Periodicity, emails: tuple[str, ...], paused: bool, at: datetime
) -> Canary:
    return Canary(
        id=id,
        name=name,
        slug=slug,
        description=description,
        periodicity=periodicity,
        emails=emails,
        paused=paused,
        late=False,
        deadline=None if paused else periodicity.deadline_after(at),
        last_event_at=at,
    )


def triggered(canary: Canary, entry: Entry) -> tuple[Transition, Triggered]:
    """A trigger makes the canary timely and running.

    One that is older than the newest event enters the history and changes nothing; so does one that is repeated, because its result was
    not known, after the canary has become late again.
    """
    at = entry.at
    if _is_past(canary, at) or canary.ignores_triggers:
        return noted(canary, entry), ORDINARY
    after = replace(canary, late=False, cause=None, paused=False, deadline=canary.periodicity.deadline_after(at), last_event_at=at)
    was_late = canary.late or canary.is_due(at)
    withdraw = _needless_late(canary, at)
    recovered = was_late and withdraw is None
    owe = [_alert(Kind.LATE, canary, at)] if canary.is_due(at) else []  # nobody has looked since the deadline, yet it has passed
    if recovered:
        owe.append(_alert(Kind.RESUMED, after, at))
    transition = Transition(before=canary, after=after, depends_on=_STATE, entry=entry, owe=tuple(owe), withdraw=withdraw)
    return transition, Triggered(recovered=recovered, unpaused=canary.paused)


def _is_past(canary: Canary, at: datetime) -> bool:
    """Older than the newest event, or told a second time."""
    return at < canary.last_event_at or (canary.late and at == canary.last_event_at)


def noted(canary: Canary, entry: Entry) -> Transition:
    """Something that enters the history and changes nothing else."""
    return Transition(before=canary, after=canary, depends_on=_STATE, entry=entry)


def failed(canary: Canary, entry: Entry, cause: Kind, detail: str, *, every: bool = False) -> Transition:
    """Something is known to have gone wrong. The first such thing makes the canary late, with its cause; what follows enters the history.

    With `every`, those that follow owe an alert as well; told twice, it is the same one.
    One that is older than the newest event, because it was told later, has passed; but nobody has heard of it if nothing else was
    wrong, so both its alert and the recovery are owed.
    """
    at = entry.at
    if canary.paused or (canary.late and not every):
        return noted(canary, entry)
    if at < canary.last_event_at:
        owe = [_alert_of_run(cause, canary, entry, detail)]
        if not canary.late:
            owe.append(_alert(Kind.RESUMED, canary, canary.last_event_at))
        return replace(noted(canary, entry), owe=tuple(owe))
    after = replace(canary, last_event_at=at) if canary.late else replace(canary, late=True, cause=cause, last_event_at=at)
    alert = _alert_of_run(cause, after, entry, detail)
    return Transition(before=canary, after=after, depends_on=_STATE, entry=entry, owe=(alert,))


def awaited(canary: Canary, deadline: datetime) -> Transition | None:
    """What it waits for is known to be under way and may take until then. None: it waits so long in any case, or does not wait."""
    if canary.paused or canary.late or canary.deadline is None or canary.deadline >= deadline:
        return None
    return Transition(before=canary, after=replace(canary, deadline=deadline), depends_on=_STATE)


def excused(canary: Canary, tick: datetime, entry: Entry | None) -> Transition:
    """Nothing good will come of that tick, on purpose: the canary waits for the next one's, and neither recovers nor is late for this."""
    deadline = canary.periodicity.deadline_after(tick)
    if canary.paused or canary.late or canary.deadline is None or canary.deadline >= deadline:
        return Transition(before=canary, after=canary, depends_on=_STATE, entry=entry)
    return Transition(before=canary, after=replace(canary, deadline=deadline), depends_on=_STATE, entry=entry)


def _needless_late(canary: Canary, at: datetime) -> Alert | None:
    """The LATE of a canary that was triggered in time after all, while nobody has been told.

    A request that arrives just before the deadline may be committed just after it.
    """
    if not canary.late or canary.deadline is None or at >= canary.deadline:
        return None
    return next((alert for alert in canary.owed if alert.kind is Kind.LATE and alert.deadline == canary.deadline), None)


def paused(canary: Canary, entry: Entry) -> Transition:
    """Pausing clears the deadline and the late state, owes nothing and withdraws nothing."""
    if canary.paused:
        raise Invalid("the canary is already paused")
    after = replace(canary, paused=True, late=False, cause=None, deadline=None, last_event_at=max(entry.at, canary.last_event_at))
    return Transition(before=canary, after=after, depends_on=_STATE, entry=entry)


def unpaused(canary: Canary, entry: Entry) -> Transition:
    if not canary.paused:
        raise Invalid("the canary is not paused")
    at = max(entry.at, canary.last_event_at)
    after = replace(canary, paused=False, late=False, cause=None, deadline=canary.periodicity.deadline_after(at), last_event_at=at)
    return Transition(before=canary, after=after, depends_on=_STATE, entry=entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """New values for a canary; None leaves a field as it is."""

    name: str | None = None
    slug: str | None = None
    description: str | None = None
    emails: tuple[str, ...] | None = None
    periodicity: Periodicity | None = None


def updated(canary: Canary, update: Update, now: datetime) -> Transition:
    """A new periodicity moves the deadline, counted from the newest event; that may make the canary late or timely, with an alert."""
    given = {name: value for name in Update.__slots__ if (value := getattr(update, name)) is not None}
    after = replace(canary, **given)
    if after.periodicity == canary.periodicity:
        return Transition(before=canary, after=after, depends_on=frozenset())
    after = replace(after, version=canary.version + 1)
    if canary.paused or (isinstance(after.periodicity, OfJob) and after.periodicity.waits_as(canary.periodicity)):
        return Transition(before=canary, after=after, depends_on=_STATE)
    if isinstance(after.periodicity, OfJob):
        # The new schedule's ticks count from now, and only a good run ends a lateness.
        deadline = after.periodicity.deadline_after(max(now, canary.last_event_at))
        return Transition(before=canary, after=replace(after, deadline=deadline), depends_on=_STATE)
    deadline = after.periodicity.deadline_after(canary.last_event_at)
    after = replace(after, deadline=deadline, late=deadline <= now)
    owe = (_alert(Kind.LATE if after.late else Kind.RESUMED, after, now),) if after.late != canary.late else ()
    return Transition(before=canary, after=after, depends_on=_STATE, owe=owe)


def _alert(kind: Kind, canary: Canary, at: datetime) -> Alert:
    return Alert(kind=kind, about=canary.id, name=canary.name, at=at, deadline=canary.deadline, emails=canary.emails)


def _alert_of_run(kind: Kind, canary: Canary, entry: Entry, detail: str) -> Alert:
    """Several runs of a job may end in one millisecond, told by processes that know nothing of each other."""
    return replace(_alert(kind, canary, entry.at), detail=detail, event=f"{to_millis(entry.at)}.{entry.nonce}")


def prunes(entry: Entry) -> bool:
    """Should writing this entry also prune? True for about one in a hundred; needs no counter that processes would have to share."""
    return crc32(entry.nonce.encode()) % 100 == 0


def kept_history(entries: list[Entry], now: datetime) -> list[Entry]:
    """What the pruning rule leaves of entries that are ordered newest first."""
    return [entry for place, entry in enumerate(entries[:MAX_HISTORY]) if place < KEPT_HISTORY or entry.at >= now - HISTORY_AGE]
