"""What users do with runs."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from coal_mine.domain import run as states
from coal_mine.domain.errors import Conflict, Invalid, NotFound, NotNow, StoreUnavailable
from coal_mine.domain.job import Mode
from coal_mine.domain.job_ports import RunFilter
from coal_mine.domain.node import Node
from coal_mine.domain.orders import is_kill, kill_order, signal_order
from coal_mine.domain.overdue import out_of_reach
from coal_mine.domain.planning import slots_of
from coal_mine.domain.ports import Clock, Ids, Store
from coal_mine.domain.run import ANY, LIVE, Outcome, Run, RunState
from coal_mine.domain.times import from_millis, to_millis

from .run_output import OutputPart, read_part
from .run_requests import RunRequest, asked_run, checked_key, checked_parameters, mark_of, prefix_of
from .waking import nobody

MAX_PAGE = 1_000
_MAX_TRIES = 1_000
_MAX_SIGNAL = 64
# That wait for the run's node, which takes them twice a second.
MAX_ORDERS = 20
# Tick and id of a page's last run, of which nobody but us should make anything.
CURSOR = re.compile(r"[0-9]{1,14}\.[A-Za-z0-9._:-]+")


@dataclass(frozen=True, slots=True)
class RunPage:
    runs: list[Run]
    next: str | None  # the cursor of the next page


class Runs:
    def __init__(self, store: Store, clock: Clock, ids: Ids, *, runs_changed: Callable[[], None] = nobody) -> None:
        self._jobs = store.jobs
        self._runs = store.runs
        self._nodes = store.nodes
        self._output = store.output
        self._clock = clock
        self._ids = ids
        self._runs_changed = runs_changed

    def start(self, job_id: str, request: RunRequest) -> Sequence[Run]:
        """Runs of the job that are due now, by slot: one, or in mode all one for each node. A disabled job can be run, too.

        Those of the first time, when the key was given before. Raises Invalid and NotFound, Conflict when it came with others, and NotNow.
        """
        job = self._jobs.get(job_id)
        checked_key(request.key)
        now = self._clock.now()
        pinned = self._nodes.get(request.node) if request.node else None
        nodes = self._nodes.all() if request.key or job.definition.mode is Mode.ALL or not request.waits else []
        prefix = prefix_of(job_id, mark_of(request.key) if request.key else self._ids.nonce())
        earlier = self._of_request(prefix, [ANY, *(node.name for node in nodes)]) if request.key else []
        if earlier:
            return _same(earlier, request)
        parameters = checked_parameters(job.definition, request.parameters)
        slots = (pinned.name,) if pinned else slots_of(job.definition, nodes, now)
        pools = pinned.pools if pinned else job.definition.pools
        asked = [asked_run(job, slot, request, prefix=prefix, parameters=parameters, pools=pools, now=now) for slot in slots]
        if not request.waits:
            self._refuse_unless_one_is_in_reach(asked, nodes, now)
        self._runs.add(asked)
        self._runs_changed()
        # As stored: somebody else may have used the key a moment before.
        return _same(self._of_request(prefix, slots), request) if request.key else asked

    def get(self, run_id: str) -> Run:
        """Raises NotFound."""
        return self._runs.get(run_id)

    def list(self, wanted: RunFilter, *, before: str | None = None, limit: int = 100) -> RunPage:
        """The newest ticks first; `before` is a page's cursor. Raises Invalid."""
        found = self._runs.select(wanted, before=None if before is None else _place(before), limit=limit + 1)
        return RunPage(found[:limit], _cursor(found[limit - 1]) if len(found) > limit else None)

    def live(self, *, job_id: str | None = None, node: str | None = None) -> Iterator[Run]:
        """Those under way, the newest ticks first."""
        wanted, before = RunFilter(job_id=job_id, node=node, states=LIVE), None
        while page := self._runs.select(wanted, before=before, limit=MAX_PAGE):
            yield from page
            before = (page[-1].tick, page[-1].id)

    def last_ended(self, job_ids: Collection[str]) -> dict[str, Run]:
        """Of each job the run that ended last of those that a node had taken, if there is one."""
        return self._runs.last_ended(job_ids)

    def kill(self, run_id: str) -> Run:
        """One that waits is killed at once, one that is under way as soon as its node hears of it. Raises NotFound and Conflict."""
        for _ in range(_MAX_TRIES):
            run = self._runs.get(run_id)
            if run.has_ended:
                raise Conflict(f"run {run_id} has ended already: {run.state}")
            if run.is_live and (any(map(is_kill, run.orders)) or self._runs.order(run_id, kill_order())):
                break
            if run.is_waiting and self._kill_waiting(run):
                break
        else:
            raise StoreUnavailable(f"run {run_id} changes all the time")
        self._runs_changed()
        return self._runs.get(run_id)

    def signal(self, run_id: str, name: str | int) -> Run:
        """Send it to the command's processes. Raises Invalid, NotFound and Conflict."""
        number = signal_number(name)
        run = self._runs.get(run_id)
        if len(run.orders) >= MAX_ORDERS:
            raise Conflict(f"run {run_id} has {len(run.orders)} signals that its node has not taken yet")
        if run.state is not RunState.RUNNING or not self._runs.order(run_id, signal_order(number)):
            raise Conflict(f"run {run_id} is not running: {self._runs.get(run_id).state}")
        self._runs_changed()
        return self._runs.get(run_id)

    def output(self, run_id: str, *, attempt: int | None = None, stream: str = "both", offset: int = 0, limit: int) -> OutputPart:
        """What the latest attempt, or the one given, has written from that offset on. Raises NotFound."""
        run = self._runs.get(run_id)
        number = run.attempt if attempt is None else attempt
        if attempt is not None and not 1 <= attempt <= run.attempt:
            raise NotFound(f"run {run_id} has no attempt {attempt}; it has had {run.attempt}")
        # The run was read before its output: one that had ended by then had written all of it.
        is_over = run.has_ended or (attempt is not None and any(past.number == attempt for past in run.past_attempts))
        size = run.result.size if run.result and run.has_ended and number == run.attempt else None
        return read_part(self._output, run_id, number, stream=stream, offset=offset, limit=limit, is_over=is_over, size=size)

    def _refuse_unless_one_is_in_reach(self, asked: Sequence[Run], nodes: Sequence[Node], now: datetime) -> None:
        switches = self._nodes.switches()
        reasons = [out_of_reach(run, nodes, switches, now) for run in asked]
        if all(reasons):
            raise NotNow("; ".join(dict.fromkeys(reasons)))

    def _of_request(self, prefix: str, slots: Sequence[str]) -> Sequence[Run]:
        """In mode all a node may have gone since: its run has the tick of the others."""
        found = self._runs.find({prefix + slot for slot in slots})
        if not found:
            return []
        one = next(iter(found.values()))
        return [run for run in self._runs.of_tick(one.job_id, one.tick) if run.id.startswith(prefix)]

    def _kill_waiting(self, run: Run) -> bool:
        now = self._clock.now()
        reason = "killed while it waited for its next attempt" if run.past_attempts else "killed before it was started"
        return self._runs.change([states.killed(run, reason, now)]) == [Outcome.WON]


def _same(earlier: Sequence[Run], request: RunRequest) -> Sequence[Run]:
    """Whoever sends something else under the same key would wait for a run that never comes. Raises Conflict."""
    if any(run.command != request.command or not request.parameters.items() <= dict(run.parameters).items() for run in earlier):
        raise Conflict(f"the key {request.key!r} was used before, with other parameters or another command: take a new one")
    if request.node and any(run.slot != request.node for run in earlier):
        raise Conflict(f"the key {request.key!r} was used before, not for node {request.node}: take a new one")
    return earlier


def signal_number(name: str | int) -> int:
    """Of USR1, SIGUSR1, 10 or "10". Raises Invalid."""
    text = str(name).upper()
    known = {member.name.removeprefix("SIG"): int(member) for member in signal.Signals}
    number = int(text) if re.fullmatch("[1-9][0-9]?", text) else known.get(text.removeprefix("SIG"), 0)
    if not 1 <= number <= _MAX_SIGNAL:
        raise Invalid(f"signal {str(name)[:40]!a} is neither a name such as USR1 nor a number from 1 to {_MAX_SIGNAL}")
    return number


def _cursor(run: Run) -> str:
    return f"{to_millis(run.tick)}.{run.id}"


def _place(cursor: str) -> tuple[datetime, str]:
    if not CURSOR.fullmatch(cursor):
        raise Invalid("before is not the cursor of a page")
    millis, _, run_id = cursor.partition(".")
    return from_millis(int(millis)), run_id
