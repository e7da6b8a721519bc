"""The output of a run on the disk, written by its supervisor and read by the agent at the same time.

It lies in segments, files named after the offset of their first byte; offsets count what both streams produced, in the order in
which it came. The first segment is the head and stays. The later ones make way for newer ones as long as the tail is kept.
"""

from __future__ import annotations

import contextlib
import errno
import os
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .frames import HEADER, Frame, Stream, header, parse_header
from .record import read_result

_PREFIX = "output-"
# Of a segment, read at once. Larger than any frame, since a supervisor reads 64 KB at most from a pipe.
_BLOCK = 1 << 18
READ_LIMIT = 1 << 18


def segment_name(start: int) -> str:
    return f"{_PREFIX}{start:020d}"


@dataclass(slots=True)
class _Segment:
    start: int
    data_bytes: int = 0
    file_bytes: int = 0  # with the frames' headers

    @property
    def weight(self) -> int:
        """Bytes of output. Headers outweigh tiny frames: of such output less is kept, so that the disk holds no more than twice."""
        return max(self.data_bytes, self.file_bytes // 2)


class OutputWriter:
    """Never raises because of the disk: what it does not take is counted and left out, and the next bytes are tried again."""

    def __init__(self, head_bytes: int, tail_bytes: int, directory: str = ".") -> None:
        self.produced = 0
        self.unwritten = 0
        self._head_bytes = head_bytes
        self._tail_bytes = tail_bytes
        self._directory = directory
        self._file = -1
        self._current: _Segment | None = None
        self._finished: deque[_Segment] = deque()  # of the tail only, oldest first

    def write(self, stream: Stream, milliseconds: int, data: bytes) -> None:
        try:
            self._append(header(stream, milliseconds, len(data)), data)
        except OSError:
            self._give_up_segment()
            self.unwritten += len(data)
        self.produced += len(data)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _append(self, head: bytes, data: bytes) -> None:
        if self._current is None or self._current.weight >= self._limit(self._current):
            self._open_next()
        segment = self._current
        assert segment is not None  # noqa: S101 - opened above
        size = len(head) + len(data)
        if os.writev(self._file, (head, data)) < size:
            raise OSError(errno.ENOSPC, "only a part was written")
        segment.data_bytes += len(data)
        segment.file_bytes += size

    def _limit(self, segment: _Segment) -> int:
        return self._head_bytes if segment.start == 0 else self._tail_bytes

    def _open_next(self) -> None:
        self._finish_segment()
        self._drop_oldest()
        path = self._path(self.produced)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._current = _Segment(self.produced)

    def _finish_segment(self) -> None:
        self.close()
        if self._current is not None and (self._current.start > 0 or self._head_bytes == 0):
            self._finished.append(self._current)
        self._current = None

    def _drop_oldest(self) -> None:
        """What is newer than the oldest segment is tail enough."""
        kept = sum(segment.weight for segment in self._finished)
        while self._finished and (kept := kept - self._finished[0].weight) >= self._tail_bytes:
            self._remove(self._finished.popleft())

    def _give_up_segment(self) -> None:
        """What comes next needs another name, since bytes are missing in between. A frame that was written in part goes."""
        segment = self._current
        if segment is None:
            return
        with contextlib.suppress(OSError):  # half a frame at the end of a segment is no frame for the reader
            os.ftruncate(self._file, segment.file_bytes)
        if segment.data_bytes:
            self._finish_segment()
        else:
            self.close()
            self._current = None
            self._remove(segment)

    def _remove(self, segment: _Segment) -> None:
        with contextlib.suppress(OSError):  # it stays until the whole directory is removed
            os.unlink(self._path(segment.start))

    def _path(self, start: int) -> str:
        return f"{self._directory}/{segment_name(start)}"


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

    def _produced_in_all(self) -> int:
        result = read_result(self._directory)
        return result.size if result else 0

    def _starts(self) -> Iterator[int]:
        for name in os.listdir(self._directory):
            if name.startswith(_PREFIX):
                yield int(name[len(_PREFIX) :])

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
