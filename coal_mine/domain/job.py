"""The job: a command with schedules, pools and policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from .schedule import Schedule, next_tick, period_at

MIN_START_DEADLINE = timedelta(seconds=60)
MAX_START_DEADLINE = timedelta(hours=1)
# By such a part a wait may be shorter or longer, so that runs that failed together do not come back together.
SHAKEN = 0.2


class Mode(StrEnum):
    ANY = "any"  # one node of the pools runs each tick
    ALL = "all"  # every node of the pools does


class Runner(StrEnum):
    COMMAND = "command"  # a process on the node
    CONTAINER = "container"
    INSTANCE = "instance"
    DUMMY = "dummy"  # nothing: it succeeds at once, and its output is its command


class OverlapPolicy(StrEnum):
    """What becomes of a tick while earlier runs of the job are still under way."""

    SKIP = "skip"
    QUEUE = "queue"  # wait for its turn
    REPLACE = "replace"  # kill the earlier one, then start
    ALLOW = "allow"


class CatchUpPolicy(StrEnum):
    """What becomes of ticks that passed while nobody planned."""

    NONE = "none"  # they are missed
    LATEST = "latest"  # the newest runs, the others are skipped
    ALL = "all"  # they run in order, one at a time


class OnLost(StrEnum):
    """What becomes of a run when nothing is heard of its node."""

    FAIL = "fail"  # nobody starts it elsewhere, and its late result counts
    RERUN = "rerun"  # it kills itself before its lease ends, and another node runs it again


class MailReport(StrEnum):
    """After which runs a report is mailed."""

    NEVER = "never"
    ERROR = "error"  # those that were not successful
    STDOUT = "stdout"  # those that wrote to this stream
    STDERR = "stderr"
    OUTPUT = "output"  # those that wrote anything
    ALWAYS = "always"


class FailureAlerts(StrEnum):
    FIRST = "first"  # the first that is not good, then the recovery
    EVERY = "every"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    policy: OverlapPolicy = OverlapPolicy.SKIP
    limit: int | None = None  # runs at once; None: 1, and for ALLOW no limit
    waiting: int = 1  # QUEUE: so many wait, further ones are skipped
    across_nodes: bool = False  # mode ALL: the limit counts all nodes together, not each by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    policy: CatchUpPolicy = CatchUpPolicy.LATEST
    within_seconds: float = 3_600  # older ticks are missed
    most: int = 100  # ALL: of the newest so many


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    most: int = 0  # after the first attempt
    wait_seconds: float = 10  # before the first; each further wait is `factor` times as long
    factor: float = 2
    longest_seconds: float = 600

    def wait_after(self, earlier: int) -> float:
        """Seconds before the next attempt, when one has failed that was preceded by so many."""
        return min(self.wait_seconds * self.factor ** min(earlier, 60), self.longest_seconds)

    def longest_wait(self, *, after: int) -> timedelta:
        """How long an attempt that was preceded by so many may be followed by nothing, and the run go on."""
        return timedelta(seconds=self.wait_after(after) * (1 + SHAKEN)) if after < self.most else timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value that whoever runs the job now may give; the command finds it in its environment."""

    name: str
    description: str = ""
    default: str | None = None
    required: bool = False
    values: tuple[str, ...] = ()  # those allowed; empty: any


Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a user says about a job. Each run keeps the one by which it was planned."""

    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    labels: Pairs = ()
    enabled: bool = True
    schedules: tuple[Schedule, ...] = ()
    pools: tuple[str, ...] = ("default",)
    mode: Mode = Mode.ANY
    runner: Runner = Runner.COMMAND
    runner_name: str = ""  # of the nodes' section [runner:NAME]; empty: none
    details: Pairs = ()  # for that runner, such as the instance's id
    command: str | tuple[str, ...] = ""  # a text is the shell's
    script: str = ""  # a text that is made a file; the command is then its arguments
    workdir: str = ""
    user: str = ""  # empty: the node's own
    group: str = ""
    env: Pairs = ()
    secrets: Pairs = ()  # name in the environment, reference
    parameters: tuple[Parameter, ...] = ()
    timeout_seconds: float | None = None  # of one attempt
    kill_wait_seconds: float = 10  # between TERM and KILL
    retries: Retries = field(default_factory=Retries)
    overlap: Overlap = field(default_factory=Overlap)
    catch_up: CatchUp = field(default_factory=CatchUp)
    on_lost: OnLost = OnLost.FAIL
    start_deadline_seconds: float | None = None  # after the tick; None: see start_deadline
    grace_seconds: float | None = None  # after the tick, for a run to end well
    priority: int = 0  # of those that are due together, the highest first
    cpus: float = 0
    mem: float = 0  # MB
    disk: float = 0  # MB
    emails: tuple[str, ...] = ()  # receivers of the canary's alerts
    failure_alerts: FailureAlerts = FailureAlerts.FIRST
    mail_report: MailReport = MailReport.NEVER
    mail_to: tuple[str, ...] = ()
    given: Pairs = ()  # dialect, JSON: what the client of an older system wrote, to be shown to it as it was

    @property
    def limit(self) -> int | None:
        """How many runs may be under way at once; None: any number."""
        if self.overlap.policy is OverlapPolicy.ALLOW:
            return self.overlap.limit
        return self.overlap.limit or 1

    def start_deadline(self, tick: datetime) -> timedelta:
        """How long after that tick a run may start: as the user says, else half the time to the next tick, between a minute and an hour."""
        if self.start_deadline_seconds is not None:
            return timedelta(seconds=self.start_deadline_seconds)
        period = period_at(self.schedules, tick - timedelta(milliseconds=1))
        return MAX_START_DEADLINE if period is None else min(max(period / 2, MIN_START_DEADLINE), MAX_START_DEADLINE)

    def run_limit(self) -> timedelta | None:
        """How long after its tick a run may take to be done; None: nobody has said."""
        given = [seconds for seconds in (self.grace_seconds, self.timeout_seconds) if seconds is not None]
        return timedelta(seconds=max(given)) if given else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A definition with its identity and what is planned of it."""

    id: str  # with its namespace before it: group:project:backup
    definition: Definition
    canary_id: str
    version: int  # raised by each change of the definition; runs of an older one that nobody has taken yet are withdrawn
    created_at: datetime
    changed_at: datetime
    next_at: datetime | None  # the first tick that is not planned yet; None: none will come, or the job is disabled
    changed_by: str = ""  # who called for this version; empty: nobody knows

    @property
    def namespace(self) -> tuple[str, ...]:
        return tuple(self.id.split(":")[:-1])

    @property
    def name(self) -> str:
        return self.definition.name


def first_tick(definition: Definition, after: datetime) -> datetime | None:
    """What `Job.next_at` becomes when the job is created, changed or enabled."""
    return next_tick(definition.schedules, after) if definition.enabled else None


def coming_ticks(schedules: Sequence[Schedule], after: datetime, count: int) -> list[datetime]:
    ticks: list[datetime] = []
    while len(ticks) < count and (tick := next_tick(schedules, ticks[-1] if ticks else after)):
        ticks.append(tick)
    return ticks
