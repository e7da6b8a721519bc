"""Output as it is kept: pieces of either stream in the order in which they came."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

HEADER = struct.Struct("<BIQ")


class Stream(IntEnum):
    STDOUT = 1
    STDERR = 2


@dataclass(frozen=True, slots=True)
class Frame:
    stream: Stream
    milliseconds: int  # since the start of the run
    data: bytes


def header(stream: Stream, milliseconds: int, size: int) -> bytes:
    return HEADER.pack(stream, size, milliseconds)


def parse_header(raw: bytes) -> tuple[Stream, int, int] | None:
    """Stream, size and milliseconds; None when it has not been written to its end."""
    if len(raw) < HEADER.size:
        return None
    stream, size, milliseconds = HEADER.unpack_from(raw)
    return Stream(stream), size, milliseconds
