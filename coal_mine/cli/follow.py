"""Following runs: what they write, while they write it, and how they end. All of it is asked for again and again."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from threading import Event
from typing import IO, Any, TypeVar

from coal_mine.clock import monotonic
from coal_mine.domain.errors import CoalMineError

from .api import Api
from .connection import Fields, Refused, Unreachable
from .outcomes import has_ended

QUICK_SECONDS = 0.05
SLOW_SECONDS = 1.0
_SLOWER = 1.5
# Whoever waits longer for a run to start wants to know why.
_START_SECONDS = 3.0
_NOT_FOUND, _UNAVAILABLE = 404, 503

Run = dict[str, Any]
Say = Callable[[str], None]
_T = TypeVar("_T")


def wait(seconds: float) -> None:
    """Ctrl-C ends it at once."""
    Event().wait(seconds)


class Patience:
    """Asks again when a connection breaks, or the server is being started again: the run goes on meanwhile."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def ask(self, question: Callable[[], _T]) -> _T:
        """Raises Refused when the server says no."""
        is_told = False
        while True:
            try:
                answer = question()
            except (Refused, Unreachable) as error:
                if not _may_pass(error):
                    raise
                if not is_told:
                    self._say(f"{error}; the run goes on without us, trying again every second")
                is_told = True
                wait(SLOW_SECONDS)
            else:
                if is_told:
                    self._say("the server answers again")
                return answer


def _may_pass(error: CoalMineError) -> bool:
    return not isinstance(error, Refused) or error.status == _UNAVAILABLE


class Reader:
    """One stream of one attempt, read from an offset on."""

    def __init__(self, api: Api, patience: Patience, run_id: str, attempt: int, stream: str) -> None:
        self._api = api
        self._patience = patience
        self._run_id = run_id
        self._query = {"attempt": str(attempt), "stream": stream}
        self._mark = ""
        self.offset = 0  # counted over both streams
        self.is_complete = False
        self.taken = 0  # bytes of its stream
        self.dropped = 0  # bytes of both

    def read(self) -> bytes | None:
        """What is new; None when nothing was written since the last time. Output of the other stream only is new, and empty."""
        query: Fields = {**self._query, "offset": str(self.offset)}
        try:
            part, self._mark = self._patience.ask(lambda: self._api.output(self._run_id, query, known=self._mark))
        except Refused as error:
            if error.status != _NOT_FOUND:
                raise
            return None  # its node has given the attempt back before it began; it comes again
        if part is None:
            return None
        is_new = part.next_offset > self.offset
        self.offset = part.next_offset
        self.taken += len(part.data)
        self.is_complete = part.complete
        self.dropped += part.dropped
        return part.data if is_new else None


class Sink:
    """Where the output of runs goes, byte for byte."""

    def __init__(self, *streams: tuple[str, IO[str]], lines: int | None = None) -> None:
        """Pairs of a stream's name in the API, and the file that it goes to. With `lines`, only the last so many until `release`."""
        self.streams = streams
        self._lines = lines
        self._held: dict[IO[str], bytes] = {}

    def write(self, file: IO[str], data: bytes) -> None:
        if self._lines is None:
            file.flush()
            file.buffer.write(data)  # type: ignore[attr-defined]  # the standard streams have it
            file.flush()
        else:
            lines = (self._held.get(file, b"") + data).splitlines(keepends=True)
            self._held[file] = b"".join(lines[-self._lines :])

    def release(self) -> None:
        self._lines, held = None, self._held
        for file, data in held.items():
            self.write(file, data)


def both_streams() -> Sink:
    """Standard output to ours, standard error to ours. Where both are one file they come in the order in which they were written."""
    if os.path.samestat(os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno())):
        return Sink(("both", sys.stdout))
    return Sink(("stdout", sys.stdout), ("stderr", sys.stderr))


class Follower:
    """Follows one run to its end."""

    def __init__(self, api: Api, run: Run, *, sink: Sink, say: Say, first_attempt: int = 1) -> None:
        self._api = api
        self._patience = Patience(say)
        self._say = say
        self._run = run
        self._sink = sink
        self._attempt = first_attempt - 1  # the one that is being read
        self._readers: list[tuple[Reader, IO[str]]] = []
        self._began_at = monotonic()
        self._is_told = False
        self._told_dropped = 0  # bytes of the attempt that is being read

    def follow(self) -> Run:
        """The run as it ended."""
        pause = QUICK_SECONDS
        while True:
            is_new = self.catch_up()
            if has_ended(self._run) and not is_new:
                return self._run
            pause = QUICK_SECONDS if is_new else min(pause * _SLOWER, SLOW_SECONDS)
            if not has_ended(self._run):
                self._explain_waiting()
                wait(pause)
                self._look()

    def _look(self) -> None:
        self._run = self._patience.ask(lambda: self._api.get("runs", self._run["id"]))

    def catch_up(self) -> bool:
        """Write what has been written since the last time; whether there was anything."""
        is_new = self._copy()
        while self._attempt < self._run.get("attempt", 0) and self._sink.streams:
            if self._readers:
                self._say(f"attempt {self._attempt} {self._fate()}, attempt {self._attempt + 1} begins")
            self._attempt += 1
            self._open(self._attempt)
            is_new = self._copy() or is_new
        return is_new

    def _fate(self) -> str:
        """What became of the attempt that is being read, when another one follows it."""
        is_lost = any(past["number"] == self._attempt and past.get("lost") for past in self._run.get("attempts", ()))
        return "was lost" if is_lost else "has failed"

    def _open(self, attempt: int) -> None:
        self._told_dropped = 0
        self._readers = [(Reader(self._api, self._patience, self._run["id"], attempt, stream), file) for stream, file in self._sink.streams]

    def _copy(self) -> bool:
        """All that is there of the attempt that is being read."""
        is_new = False
        for reader, file in self._readers:
            while not reader.is_complete and (data := reader.read()) is not None:
                is_new = True
                self._sink.write(file, data)
        self._explain_gaps()
        return is_new

    def _explain_gaps(self) -> None:
        dropped = _missing([reader for reader, _ in self._readers])
        if dropped > self._told_dropped:
            self._say(f"{dropped - self._told_dropped} bytes are missing: the run has written too much to keep all of it")
            self._told_dropped = dropped

    def _explain_waiting(self) -> None:
        run = self._run
        if self._is_told or run.get("attempt") or monotonic() - self._began_at < _START_SECONDS:
            return
        self._is_told = True
        reason = f" ({run['reason']})" if run.get("reason") else ""
        self._say(f"run {run['id']} is {run['state']}{reason}; it starts when a node takes it. Ctrl-C leaves it alone")


def _missing(readers: Sequence[Reader]) -> int:
    """Bytes that nobody can read any more.

    One of two readers may have taken what was dropped before the other came by. So only at the same place is it known what both lack.
    """
    if len(readers) == 1:
        return readers[0].dropped
    places = {reader.offset for reader in readers}
    return places.pop() - sum(reader.taken for reader in readers) if len(places) == 1 else 0
