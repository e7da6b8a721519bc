"""What there is to tell of a run, as its directory shows it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from coal_mine.clock import monotonic
from coal_mine.domain.job_ports import OutputStore
from coal_mine.domain.output import MAX_CHUNK, Chunk, Frame, Stream
from coal_mine.domain.ports import Clock
from coal_mine.domain.run import End, Result, Run, RunChange, RunState, ended, gone, started
from coal_mine.domain.times import cut
from coal_mine.node.processes.identity import boot_id
from coal_mine.node.spool import frames, record
from coal_mine.node.spool.directory import RunDirectory

from .roster import Tracked

_log = logging.getLogger(__name__)

# The beginning of the output is stored as it comes. What comes after is stored once a second, and of it only the last part stays.
HEAD_BYTES = 1_000_000
TAIL_BYTES = 1_000_000
_TAIL_EVERY = timedelta(seconds=1)
_READ_AT_ONCE = 4 << 20
# A supervisor that has not begun by then was forgotten by a forker that died, and is asked for again.
_BEGINS_WITHIN = timedelta(seconds=5)
# Each frame has a header; a chunk of single letters must not become much larger than one of long lines.
_FRAMES_AT_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    tracked: Tracked
    chunks: tuple[Chunk, ...]
    position: int  # of the output, once these chunks are stored
    has_more: bool  # output that was not read yet
    change: RunChange | None
    is_over: bool  # nothing will come any more
    at: datetime


@dataclass(frozen=True, slots=True)
class _Over:
    """How it ended: with a result, or out of the sight of everybody."""

    result: Result | None
    reason: str = ""
    produced: int | None = None  # bytes of output, if its supervisor has told
    why_killed: str | None = None  # a kill was passed on, perhaps too late to be what ended it; who asked for it wants no other attempt

    def change(self, run: Run, now: datetime) -> RunChange | None:
        if not run.is_live:
            return None  # written before, when something that comes afterwards failed
        if self.result and self.why_killed is not None and not self.result.is_good:
            return ended(run, replace(self.result, end=End.KILLED, error=self.why_killed or self.result.error))
        if self.result is None:
            return gone(run, self.reason, now)
        if self.result.end is End.FENCED:
            return gone(run, "its node's lease had ended or was about to", now)
        return ended(run, self.result)


class Observer:
    def __init__(self, clock: Clock, output: OutputStore, fork_again: Callable[[Sequence[Tracked]], None]) -> None:
        self._clock = clock
        self._output = output
        self._fork_again = fork_again
        self._boot = boot_id()

    def look(self, tracked: Tracked, now: datetime) -> Seen:
        """The end is looked for first: once it is there, so is all of the output. Raises OSError and ValueError."""
        over = self._over(tracked, now)
        chunks, position, has_more = self._readable_output_of(tracked, now, over)
        tracked.unsure = chunks
        change = None
        if not tracked.disowned:
            change = self._begun(tracked) if over is None else None if has_more else _end_of(tracked, over, now)
        return Seen(
            tracked=tracked, chunks=() if tracked.disowned else chunks, position=position, has_more=has_more,
            change=change, is_over=over is not None and not has_more, at=now,
        )  # fmt: skip

    def stored(self, seen: Seen) -> None:
        """The chunks are in the store: what is neither beginning nor end of a long output can go."""
        tracked = seen.tracked
        tracked.position, tracked.unsure = seen.position, ()
        if seen.chunks:
            tracked.tail_stored_at = seen.at
        start, end = max(tracked.dropped_to, HEAD_BYTES), seen.position - 2 * TAIL_BYTES
        if end - start > TAIL_BYTES:
            self._output.drop(tracked.run.id, tracked.run.attempt, start=start, end=end)
            tracked.dropped_to = end

    def _begun(self, tracked: Tracked) -> RunChange | None:
        """Also for one that was taken for unreachable."""
        if tracked.run.state is RunState.RUNNING:
            return None
        began = tracked.directory.started_mono()
        return None if began is None else started(tracked.run, self._time(began))

    def _over(self, tracked: Tracked, now: datetime) -> _Over | None:
        over = self._seen_over(tracked, now)
        return over and replace(over, why_killed=tracked.directory.why_killed())

    def _seen_over(self, tracked: Tracked, now: datetime) -> _Over | None:
        directory = tracked.directory
        if result := directory.result():
            return self._told(result)
        supervisor = directory.supervisor()
        if supervisor is None:
            if not directory.exists():
                return self._vanished(tracked)
            if now - (tracked.run.claimed_at or now) > _BEGINS_WITHIN:
                self._fork_again([tracked])
            return None
        if supervisor.is_alive():
            tracked.command = tracked.command or directory.command()
            return None
        if result := directory.result():  # its last act, after we had looked
            return self._told(result)
        if supervisor.boot_id != self._boot:
            return _Over(None, "its node was restarted")
        return _Over(self._orphan(directory, now))

    @staticmethod
    def _vanished(tracked: Tracked) -> _Over:
        """Its result can reach nobody, so nothing of it may go on."""
        killed = tracked.command.kill() if tracked.command else 0
        return _Over(None, f"its directory was removed from the spool; {killed} processes of it were killed")

    def _orphan(self, directory: RunDirectory, now: datetime) -> Result:
        killed = directory.kill_remains()
        why = directory.fault() or "killed, or out of memory"
        began = directory.started_mono()
        sizes = _sizes(directory)
        return Result(
            end=End.SIGNALLED,
            stdout_bytes=sizes.get(frames.Stream.STDOUT, 0),
            stderr_bytes=sizes.get(frames.Stream.STDERR, 0),
            started_at=None if began is None else self._time(began),
            ended_at=now,
            error=f"its supervisor ended without a result ({why.strip()[-500:]}); {killed} processes of it were killed",
        )

    def _told(self, found: record.Result) -> _Over:
        return _Over(self._result(found), produced=found.size)

    def _result(self, found: record.Result) -> Result:
        is_begun = found.ending is not record.Ending.NOT_STARTED
        return Result(
            end=End(found.ending.value),
            started_at=self._time(found.started_mono) if is_begun else None,
            ended_at=self._time(found.ended_mono),
            exit_code=found.exit_code,
            signal=found.signal,
            error=found.error or "",
            max_memory=found.max_memory_bytes,
            cpu_user=round(found.cpu_user_seconds, 6),
            cpu_system=round(found.cpu_system_seconds, 6),
            stdout_bytes=found.stdout_bytes,
            stderr_bytes=found.stderr_bytes,
            left_behind=found.left_behind,
        )

    def _time(self, mono: float) -> datetime:
        """A reading of this machine's monotonic clock in the store's time."""
        return cut(self._clock.now() - timedelta(seconds=monotonic() - mono))

    def _readable_output_of(self, tracked: Tracked, now: datetime, over: _Over | None) -> tuple[tuple[Chunk, ...], int, bool]:
        """Output that cannot be read keeps nobody from learning that the run has begun, and how it ended."""
        try:
            return self._output_of(tracked, now, over)
        except (OSError, ValueError) as error:
            if not tracked.is_unreadable:
                _log.error("output of run %s cannot be read: %s", tracked.run.id, error, extra={"action": "output_unreadable"})
            tracked.is_unreadable = True
            return (), tracked.position, False

    def _output_of(self, tracked: Tracked, now: datetime, over: _Over | None) -> tuple[tuple[Chunk, ...], int, bool]:
        """What is not stored yet, where it ends, and whether there is more."""
        if tracked.unsure:
            return tracked.unsure, tracked.unsure[-1].end, True
        position = tracked.position
        produced = over.produced if over else None
        if over is None and position >= HEAD_BYTES and tracked.tail_stored_at and now - tracked.tail_stored_at < _TAIL_EVERY:
            return (), position, False
        chunks: list[Chunk] = []
        while position - tracked.position < _READ_AT_ONCE:
            if produced is not None and position >= produced:
                return tuple(chunks), position, False
            piece = tracked.directory.output.read(position, MAX_CHUNK, produced=produced)
            if not piece.frames:
                return tuple(chunks), piece.position, False
            chunks += _chunks(tracked.run, piece.position - sum(len(frame.data) for frame in piece.frames), piece.frames)
            position = piece.position
        return tuple(chunks), position, True


def _sizes(directory: RunDirectory) -> Mapping[frames.Stream, int]:
    """Empty where the output cannot be read, which keeps nobody from learning how the run ended."""
    try:
        return directory.output.sizes()
    except (OSError, ValueError):
        return {}


def _end_of(tracked: Tracked, over: _Over, now: datetime) -> RunChange | None:
    """The same as long as the store may have it already: reckoned anew, its time would be another, and look like somebody else's end."""
    change = over.change(tracked.run, now)
    earlier = tracked.end
    if change and earlier and earlier.before == change.before and earlier.after.state is change.after.state:
        return earlier
    tracked.end = change
    return change


def _chunks(run: Run, offset: int, found: Iterable[frames.Frame]) -> Iterator[Chunk]:
    """As many small frames as a chunk may hold go together."""
    together: list[Frame] = []
    size = 0
    for frame in found:
        if together and (size + len(frame.data) > MAX_CHUNK or len(together) >= _FRAMES_AT_MOST):
            yield Chunk(run_id=run.id, attempt=run.attempt, offset=offset, frames=tuple(together))
            offset, together, size = offset + size, [], 0
        together.append(Frame(Stream(frame.stream), frame.milliseconds, frame.data))
        size += len(frame.data)
    if together:
        yield Chunk(run_id=run.id, attempt=run.attempt, offset=offset, frames=tuple(together))
