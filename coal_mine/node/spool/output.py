"""The output of a run on the disk, written by its supervisor while the agent reads it.

It lies in segments, files named after the offset of their first byte; offsets count what both streams produced, in the order in
which it came. The first segment is the head and stays. The later ones make way for newer ones as long as the tail is kept.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections import deque
from dataclasses import dataclass

from .frames import Stream, header

PREFIX = "output-"


def segment_name(start: int) -> str:
    return f"{PREFIX}{start:020d}"


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
