"""The output of a run, read by the agent while its supervisor writes it. A supervisor does not load this."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .frames import HEADER, Frame, Stream, parse_header
from .output import PREFIX, segment_name
from .record import read_result

# Of a segment, read at once. Larger than any frame, since a supervisor reads 64 KB at most from a pipe.
_BLOCK = 1 << 18
READ_LIMIT = 1 << 18


@dataclass(frozen=True, slots=True)
class OutputPiece:
    """`dropped` bytes are missing before the frames; `position` is where the next piece begins."""

    frames: tuple[Frame, ...]
    position: int
    dropped: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a frame begins: in its segment's file, and among all bytes of the run."""

    segment: int
    in_file: int
    offset: int


class OutputReader:
    """Reads what is complete, from any position. Remembers where it stopped, so that going on from there is cheap."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stopped = _Place(0, 0, 0)

    def read(self, position: int, limit: int = READ_LIMIT, *, produced: int | None = None) -> OutputPiece:
        """At most `limit` bytes. No frames: there is nothing more for the moment, or, once the run has a result, at all.

        `produced` is how much there is in all, if that is known.
        """
        # In this order: what is not there although the run had ended before never comes, and a segment that has a successor in
        # the list is complete.
        produced = self._produced_in_all() if produced is None else produced
        starts = sorted(self._starts())
        reached = position
        for start in starts[max(bisect_right(starts, position) - 1, 0) :]:
            reached = max(reached, start)
            if frames := self._frames(start, reached, limit):
                return OutputPiece(frames, reached + sum(len(frame.data) for frame in frames), reached - position)
        reached = max(reached, produced)
        return OutputPiece((), reached, reached - position)

    def sizes(self) -> dict[Stream, int]:
        """Bytes of each stream, of a run that has no result to say it. What made way for newer output counts as stdout: nobody knows."""
        sizes = {Stream.STDOUT: 0, Stream.STDERR: 0}
        reached = 0
        for start in sorted(self._starts()):
            sizes[Stream.STDOUT] += max(start - reached, 0)
            reached = start
            for place, frame in self._walk(_Place(start, 0, start)):
                sizes[Stream(frame.stream)] += len(frame.data)
                reached = place.offset + len(frame.data)
        return sizes

    def _produced_in_all(self) -> int:
        result = read_result(self._directory)
        return result.size if result else 0

    def _starts(self) -> Iterator[int]:
        for name in os.listdir(self._directory):
            if name.startswith(PREFIX):
                yield int(name[len(PREFIX) :])

    def _frames(self, start: int, position: int, limit: int) -> tuple[Frame, ...]:
        known = self._stopped
        begin = known if known.segment == start and known.offset <= position else _Place(start, 0, start)
        found = []
        for place, frame in self._walk(begin):
            self._stopped = place
            if limit <= 0:
                break
            data = frame.data[max(position - place.offset, 0) :][:limit]
            if data:
                found.append(Frame(frame.stream, frame.milliseconds, data))
                limit -= len(data)
        return tuple(found)

    def _walk(self, place: _Place) -> Iterator[tuple[_Place, Frame]]:
        """The complete frames of a segment from there on."""
        try:
            file = os.open(self._directory / segment_name(place.segment), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return  # it made way for newer ones since it was listed
        try:
            while block := os.pread(file, _BLOCK, place.in_file):
                used = 0
                while (head := parse_header(block[used : used + HEADER.size])) and used + HEADER.size + head[1] <= len(block):
                    stream, size, milliseconds = head
                    data = block[used + HEADER.size : used + HEADER.size + size]
                    yield place, Frame(stream, milliseconds, data)
                    used += HEADER.size + size
                    place = _Place(place.segment, place.in_file + HEADER.size + size, place.offset + size)
                if used == 0:
                    return
        finally:
            os.close(file)
