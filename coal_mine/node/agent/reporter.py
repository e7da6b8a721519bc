"""Carries into the store what the supervisors tell: that runs have begun, what they write, how they ended."""

from __future__ import annotations

import logging
import select
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from coal_mine.domain.job import CatchUpPolicy, Definition, OverlapPolicy
from coal_mine.domain.orders import is_kill, reason_of, signal_in
from coal_mine.domain.output import Chunk, Frame, Stream
from coal_mine.domain.ports import Clock, Store
from coal_mine.domain.run import Outcome, Run, RunChange, RunState, ended, lock_of, postponed
from coal_mine.node.spool.spool import Spool

from .observation import Observer, Seen
from .roster import Roster, Tracked
from .starter import NotStarted

_log = logging.getLogger(__name__)

# How long a step listens for the bell. The loop that calls it cannot be woken meanwhile.
_LISTENING_SECONDS = 0.2
# The first bell is answered at once, the next ones together: a short run has then begun and ended, and many are one write. On a busy
# machine as much time is left to those that start runs.
_GATHERING = timedelta(milliseconds=50)
# All runs are looked at so often even if no bell has rung, and their orders are asked for.
_ROUND = timedelta(seconds=1)
_ORDERS = timedelta(milliseconds=500)
# And so often it is asked which of them others have taken for unreachable, or have themselves.
_REFRESH = timedelta(seconds=30)
# So much output is held in memory and written at once.
_OUTPUT_AT_ONCE = 8 << 20


class Reporter:
    """A step. All that it reads stays in the spool until the store has it, so a step that fails is simply repeated.

    1. Output is stored.
    2. The changes of state are written, for all runs that were heard of together. A write that is refused means that the run has passed to
       somebody else, or that it was taken for unreachable meanwhile; then it is read again.
    3. The canaries of those that have ended are told.
    4. Only then their directories are removed.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        spool: Spool,
        roster: Roster,
        observer: Observer,
        *,
        tell: Callable[[Sequence[Run]], None],
        room: Callable[[], None],
    ) -> None:
        """`tell` is services.outcomes.Outcomes.tell; `room` is called when runs have ended and others may start."""
        self._store = store
        self._clock = clock
        self._spool = spool
        self._roster = roster
        self._observer = observer
        self._tell = tell
        self._room = room
        self._again: set[str] = set()  # directories that must be looked at again whatever the bell says
        self._round_at: datetime | None = None
        self._orders_at: datetime | None = None
        self._refresh_at: datetime | None = None

    def run_once(self, now: datetime) -> datetime | None:
        heard = self._listen()
        now = self._clock.now()
        if self._orders_at is None or now >= self._orders_at:
            self._orders_at = now + _ORDERS
            self._pass_orders()
        if self._refresh_at is None or now >= self._refresh_at:
            self._refresh(now)
        if heard is None or self._round_at is None or now >= self._round_at:
            self._round_at = now + _ROUND
            tracked = self._roster.all()
        else:
            tracked = self._roster.named(heard | self._again)
        self._again |= {each.directory.name for each in tracked}  # a step that fails is repeated
        self._report(tracked, now)
        return now if self._again else now + max(_GATHERING, self._clock.now() - now)

    def lapsed(self) -> None:
        """The lease had ended: others may have taken this node's runs, or taken them for unreachable."""
        self._refresh_at = None

    def end_at_once(self, others: Sequence[NotStarted]) -> None:
        """Runs that were claimed and have no process."""
        chunks = [
            Chunk(run_id=each.run.id, attempt=each.run.attempt, offset=0, frames=(Frame(Stream.STDOUT, 0, each.output),))
            for each in others
            if each.output
        ]
        if chunks:
            self._store.output.add(chunks)
        changes = [ended(each.run, each.result) for each in others]
        self._over([change.after for change, outcome in self._change(changes) if outcome is Outcome.WON])

    def _listen(self) -> frozenset[str] | None:
        ready, _, _ = select.select([self._spool], [], [], 0 if self._again else _LISTENING_SECONDS)
        return self._spool.heard() if ready else frozenset()

    def _report(self, tracked: Sequence[Tracked], now: datetime) -> None:
        """In parts, so that little output is held in memory and no call takes long."""
        seen: list[Seen] = []
        held = 0
        for each in tracked:
            found = self._look(each, now)
            if found is None:
                continue
            seen.append(found)
            held += sum(chunk.size for chunk in found.chunks)
            if held > _OUTPUT_AT_ONCE:
                self._write(seen)
                seen, held = [], 0
        self._write(seen)

    def _look(self, tracked: Tracked, now: datetime) -> Seen | None:
        """None: nothing can be read of this one. It keeps no other from being reported, and is looked at again in the next round."""
        try:
            return self._observer.look(tracked, now)
        except (OSError, ValueError) as error:
            if not tracked.is_unreadable:  # once is enough in the log
                _log.error("run %s cannot be looked at: %s", tracked.run.id, error, extra={"action": "run_unreadable"})
            tracked.is_unreadable = True
            self._again.discard(tracked.directory.name)
            return None

    def _write(self, seen: Sequence[Seen]) -> None:
        self._store_output(seen)
        changed = [each for each in seen if each.change]
        for each, (change, outcome) in zip(changed, self._change([each.change for each in seen if each.change]), strict=True):
            self._written(each.tracked, change, outcome)
        over = [each.tracked for each in seen if each.is_over and (each.tracked.disowned or not each.tracked.run.is_live)]
        self._over([each.run for each in over if not each.disowned])
        for ended_one in over:
            self._forget(ended_one)
        # What is left over must be looked at again: there is more to read, or a change that was refused.
        self._again -= {each.tracked.directory.name for each in seen if not each.has_more and not each.is_over}
        if over:
            self._room()

    def _store_output(self, seen: Sequence[Seen]) -> None:
        chunks = [chunk for each in seen for chunk in each.chunks]
        if chunks:
            self._store.output.add(chunks)
        for each in seen:
            self._observer.stored(each)

    def _change(self, changes: Sequence[RunChange]) -> list[tuple[RunChange, Outcome]]:
        return list(zip(changes, self._store.runs.change(changes), strict=True)) if changes else []

    def _written(self, tracked: Tracked, change: RunChange, outcome: Outcome) -> None:
        if outcome is Outcome.WON:
            tracked.run = change.after
            return
        current = self._store.runs.find([tracked.run.id]).get(tracked.run.id)
        if current and current.is_live and tracked.is_of(current):
            tracked.run = current  # taken for unreachable; it is looked at again
        else:
            _disown(tracked)

    def _over(self, runs: Sequence[Run]) -> None:
        for run in runs:
            level = logging.INFO if run.state is RunState.DONE else logging.WARNING
            _log.log(level, "run %s: %s %s", run.id, run.state, run.reason, extra={"action": f"run_{run.state}", "run_id": run.id})
        self._tell(runs)
        for run in runs:
            if run.has_ended and _lets_wait(run.definition):
                self._call_next(run)

    def _call_next(self, run: Run) -> None:
        """Whoever waits for this one's place need not wait until he asks again."""
        now, place = self._clock.now(), lock_of(run, 0)
        waiting = self._store.runs.waiting_of(run.job_id)
        first = next((other for other in waiting if other.reason and other.tick <= now and lock_of(other, 0) == place), None)
        if first and first.state is RunState.QUEUED:
            self._store.runs.change([postponed(first, now)])

    def _forget(self, tracked: Tracked) -> None:
        self._roster.remove(tracked)
        tracked.directory.remove()
        self._again.discard(tracked.directory.name)

    def _refresh(self, now: datetime) -> None:
        self._refresh_at = now + _REFRESH  # at first: a lapse meanwhile asks for another one
        try:
            self._ask_whose_they_are()
        except BaseException:
            self._refresh_at = None
            raise

    def _ask_whose_they_are(self) -> None:
        """A run that lives is said to be alive again; one that somebody else has, or that is given up, is ended."""
        before = [each for each in self._roster.all() if not each.disowned and each.run.is_live]  # what is claimed meanwhile is ours
        live = {run.id: run for run in self._stored(self._store.runs.live_on)}
        for run in live.values():
            if run.state is RunState.UNREACHABLE and (mine := self._mine(run)):
                mine.run = run
                self._again.add(mine.directory.name)
        self._end_strange([each for each in before if each.run.id not in live or not each.is_of(live[each.run.id])])

    def _end_strange(self, doubtful: Sequence[Tracked]) -> None:
        """One that has ended may be stored as that already, without an answer. It is written again, and then everybody knows."""
        current = self._store.runs.find([each.run.id for each in doubtful]) if doubtful else {}
        for each in doubtful:
            run = current.get(each.run.id)
            if not (run and run.is_live and each.is_of(run)) and not _has_end(each):
                _disown(each)

    def _pass_orders(self) -> None:
        for run in self._stored(self._store.runs.ordered_on):
            if mine := self._mine(run):
                try:
                    self._pass_all(mine, run)
                except OSError as error:  # it stays among the orders, and is tried again
                    _log.error("run %s cannot be given its orders: %s", run.id, error, extra={"action": "order_failed"})

    def _stored(self, on_node: Callable[[str], list[Run]]) -> list[Run]:
        own = next((tracked.run for tracked in self._roster.all() if not tracked.disowned), None)
        return on_node(own.node) if own else []

    def _mine(self, run: Run) -> Tracked | None:
        mine = self._roster.of(run.id)
        return mine if mine and mine.is_of(run) else None

    def _pass_all(self, mine: Tracked, run: Run) -> None:
        """A kill is passed on before it is crossed out, so that it is not lost; a signal afterwards, so that it comes once."""
        kill = next(filter(is_kill, run.orders), None)
        if kill is not None:
            mine.directory.request_kill(reason_of(kill))
        for order in run.orders:
            if not self._store.runs.take_order(run, order):
                return  # somebody else does it
            number = signal_in(order)
            if number is not None:
                mine.directory.request_signal(number)


def _has_end(tracked: Tracked) -> bool:
    """Something that only the store can refuse."""
    try:
        return tracked.end is not None or tracked.directory.result() is not None
    except OSError:
        return False  # what cannot be read reaches nobody


def _disown(tracked: Tracked) -> None:
    """Where that cannot be ordered, it is found out again that it should be; the others do not wait for that."""
    extra = {"action": "run_fenced", "run_id": tracked.run.id}
    try:
        tracked.disown()
    except OSError as error:
        _log.error("run %s counts no more and cannot be ended: %s", tracked.run.id, error, extra=extra)
    else:
        _log.warning("run %s has passed to somebody else, or is given up; what it does here is ended", tracked.run.id, extra=extra)


def _lets_wait(definition: Definition) -> bool:
    """Whether a run may wait for an earlier one; else nobody is there to be called."""
    return definition.overlap.policy in (OverlapPolicy.QUEUE, OverlapPolicy.REPLACE) or definition.catch_up.policy is CatchUpPolicy.ALL
