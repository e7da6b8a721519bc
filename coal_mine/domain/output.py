"""What a run writes: frames in the order in which they came, kept in chunks."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Line:
    stream: Stream
    millis: int  # of the frame in which it begins
    data: bytes  # without its end


@dataclass(slots=True)
class _Unfinished:
    """The beginning of a line whose end has not come yet."""

    millis: int = 0
    parts: list[bytes] = field(default_factory=list)


def lines_of(frames: Iterable[Frame]) -> list[Line]:
    """In the order in which they were ended; those that never were stand last."""
    lines: list[Line] = []
    unfinished: dict[Stream, _Unfinished] = {}
    for frame in frames:
        begun = unfinished.setdefault(frame.stream, _Unfinished())
        *ended, rest = frame.data.split(b"\n")
        for data in ended:
            lines.append(Line(frame.stream, begun.millis if begun.parts else frame.millis, b"".join((*begun.parts, data))))
            begun.parts.clear()
        if rest:
            begun.millis = begun.millis if begun.parts else frame.millis
            begun.parts.append(rest)
    lines += [Line(stream, begun.millis, b"".join(begun.parts)) for stream, begun in unfinished.items() if begun.parts]
    return lines


def pack(frames: Iterable[Frame]) -> bytes:
    return b"".join(_HEADER.pack(frame.stream, frame.millis, len(frame.data)) + frame.data for frame in frames)


def unpack(data: bytes) -> Iterator[Frame]:
    place = 0
    while place < len(data):
        stream, millis, size = _HEADER.unpack_from(data, place)
        place += _HEADER.size
        yield Frame(Stream(stream), millis, data[place : place + size])
        place += size
