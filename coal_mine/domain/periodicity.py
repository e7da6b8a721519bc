"""How long a canary may go without a trigger: a number of seconds, windows with a number each, or a cron schedule with a grace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from .cron import Cron
from .errors import Invalid
from .schedule import Schedule, next_tick
from .seconds import later, parse_seconds
from .text import MAX_PERIODICITY
from .times import END_OF_TIME
from .windows import Windows

DEFAULT_GRACE_SECONDS = 3_600

# Parsing a long text takes milliseconds and a trigger must not pay for it each time.
_windows = lru_cache(maxsize=4_096)(Windows.parse)
_cron = lru_cache(maxsize=4_096)(Cron.parse)


@dataclass(frozen=True, slots=True)
class Every:
    """At most so many seconds between two triggers."""

    seconds: int | float

    def deadline_after(self, at: datetime) -> datetime:
        """The moment by which the next trigger is due when the last event was `at`."""
        return later(at, self.seconds)


@dataclass(frozen=True, slots=True)
class InWindows:
    """Seconds that depend on the time of day, week or year; between the windows no deadline falls."""

    text: str

    @property
    def windows(self) -> Windows:
        return _windows(self.text)

    def deadline_after(self, at: datetime) -> datetime:
        """As `Every.deadline_after`; a deadline that would fall into a gap moves to the next window's start plus its seconds."""
        return self.windows.deadline_after(at)


@dataclass(frozen=True, slots=True)
class OnSchedule:
    """A trigger is due at each tick of a cron expression, `grace_seconds` later at the latest."""

    expression: str
    grace_seconds: int | float = DEFAULT_GRACE_SECONDS
    timezone: str = "UTC"

    @property
    def cron(self) -> Cron:
        return _cron(self.expression, self.timezone)

    def deadline_after(self, at: datetime) -> datetime:
        """The first tick after `at`, plus the grace."""
        return later(self.cron.tick_after(at), self.grace_seconds)


@dataclass(frozen=True, slots=True)
class OfJob:
    """A good run is due after each tick of a job, `grace_seconds` later at the latest."""

    job_id: str
    schedules: tuple[Schedule, ...]
    grace_seconds: int | float
    job_version: int = 0  # of the job that the canary follows; whoever comes with an older one is too late

    def waits_as(self, other: Periodicity) -> bool:
        """Whether both give the same deadlines, of whatever versions of the job they are."""
        return isinstance(other, OfJob) and replace(other, job_version=self.job_version) == self

    def deadline_after(self, at: datetime) -> datetime:
        """The first tick after `at`, plus the grace; the end of time when none will come."""
        tick = next_tick(self.schedules, at)
        return END_OF_TIME if tick is None else later(tick, self.grace_seconds)


Periodicity = Every | InWindows | OnSchedule | OfJob


def stand_in(last_event_at: datetime, deadline: datetime | None) -> Every:
    """What to watch by when a text cannot be read: a predecessor understood schedules that we refuse.

    Such a canary must not turn every trigger into an error, nor be left without a deadline, for nobody would hear of its end. It keeps
    the distance between event and deadline that it was given last; a day when it has none.
    """
    distance = deadline - last_event_at if deadline else timedelta(days=1)
    return Every(max(distance.total_seconds(), 1))


def parse_periodicity(text: str) -> Every | InWindows:
    """What the parameter `periodicity` says: a number of seconds, or windows. Raises Invalid with the fault and its place."""
    _check_length("periodicity", text)
    stripped = text.strip()
    if ";" not in stripped and len(stripped.split()) < 2:
        try:
            return Every(parse_seconds(stripped))
        except Invalid as error:
            raise Invalid(f"periodicity {error}, nor a schedule such as '* 0-12 * * mon-fri 300 ; * 13-23 * * mon-fri 90'") from error
    _windows(stripped).refuse_overlaps()
    return InWindows(stripped)


def parse_schedule(expression: str, grace: str | None, timezone: str | None) -> OnSchedule:
    """What the parameters `schedule`, `grace` (seconds) and `timezone` (IANA name) say together. Raises Invalid."""
    _check_length("schedule", expression)
    schedule = OnSchedule(" ".join(expression.split()), parse_grace(grace), timezone or "UTC")
    _ = schedule.cron  # refuses what cannot be parsed
    return schedule


def parse_grace(text: str | None) -> int | float:
    if text is None:
        return DEFAULT_GRACE_SECONDS
    try:
        return parse_seconds(text.strip())
    except Invalid as error:
        raise Invalid(f"grace {error}") from error


def _check_length(field: str, text: str) -> None:
    if len(text) > MAX_PERIODICITY:
        raise Invalid(f"{field} has {len(text)} characters; at most {MAX_PERIODICITY} are allowed")
