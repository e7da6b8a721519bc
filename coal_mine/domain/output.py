"""What a run writes: frames in the order in which they came, kept in chunks."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

# A stored chunk holds at most so many bytes of output.
MAX_CHUNK = 262_144
_HEADER = struct.Struct("<BQI")


class Stream(IntEnum):
    STDOUT = 1
    STDERR = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """What was read at once from one stream, byte for byte."""

    stream: Stream
    millis: int  # since the start of the attempt
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Consecutive frames. What lies between two chunks was dropped, because the run wrote too much."""

    run_id: str
    attempt: int
    offset: int  # of the first byte, counting all that both streams have written
    frames: tuple[Frame, ...]

    @property
    def size(self) -> int:
        return sum(len(frame.data) for frame in self.frames)

    @property
    def end(self) -> int:
        return self.offset + self.size


def pack(frames: Iterable[Frame]) -> bytes:
    return b"".join(_HEADER.pack(frame.stream, frame.millis, len(frame.data)) + frame.data for frame in frames)


def unpack(data: bytes) -> Iterator[Frame]:
    place = 0
    while place < len(data):
        stream, millis, size = _HEADER.unpack_from(data, place)
        place += _HEADER.size
        yield Frame(Stream(stream), millis, data[place : place + size])
        place += size
