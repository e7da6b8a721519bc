"""Reading what a run has written: piece by piece, or its last lines.

Offsets count all bytes of both streams, in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coal_mine.domain.job_ports import OutputStore
from coal_mine.domain.output import MAX_CHUNK, Chunk, Line, Stream, lines_of
from coal_mine.domain.run import Run

LINES = 20
# Of the output's end, in which the last lines of a report are looked for.
END_BYTES = 1_000_000
_LINE = 500  # characters of a line that are shown
_TAIL = 16_384  # bytes that are looked at
STREAMS = {"both": frozenset(Stream), "stdout": frozenset({Stream.STDOUT}), "stderr": frozenset({Stream.STDERR})}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPart:
    attempt: int
    data: bytes
    offset: int  # where it was asked to begin
    next_offset: int  # where to go on
    complete: bool  # nothing will ever come behind it
    size: int | None  # of all that was written; None: not known
    dropped: int  # bytes between the two offsets that were not kept, because the run wrote too much
    first_gap: int | None  # where the first of these would stand


def read_part(
    store: OutputStore, run_id: str, attempt: int, *, stream: str, offset: int, limit: int, is_over: bool, size: int | None = None
) -> OutputPart:
    """At most `limit` bytes, both streams counted, from `offset` on; `is_over`: the attempt writes no more."""
    pieces = list(_pieces(store.read(run_id, attempt, offset=offset, limit=limit), offset, limit))
    place, dropped, first_gap = offset, 0, None
    kept: list[bytes] = []
    for start, wrote, data in pieces:
        if start > place:
            dropped += start - place
            first_gap = place if first_gap is None else first_gap
        if wrote in STREAMS[stream]:
            kept.append(data)
        place = start + len(data)
    complete = is_over and not store.read(run_id, attempt, offset=place, limit=1)
    return OutputPart(
        attempt=attempt, data=b"".join(kept), offset=offset, next_offset=place, complete=complete, size=size, dropped=dropped,
        first_gap=first_gap,
    )  # fmt: skip


def _pieces(chunks: Iterable[Chunk], offset: int, limit: int) -> Iterable[tuple[int, Stream, bytes]]:
    """Offset, stream and bytes of each frame, cut to what was asked for."""
    left = limit
    for chunk in chunks:
        place = chunk.offset
        for frame in chunk.frames:
            skipped = max(offset - place, 0)
            data = frame.data[skipped : skipped + left]
            if data:
                yield place + skipped, frame.stream, data
                left -= len(data)
            place += len(frame.data)


def size_of(store: OutputStore, run: Run) -> int:
    """Bytes that its latest attempt has written to both streams; of one that was lost, as far as they were stored."""
    if run.result:
        return run.result.size
    return store.end(run.id, run.attempt) if run.attempt else 0


def end_of_output(store: OutputStore, run: Run, size: int) -> list[Line]:
    """The lines of so many bytes of its latest attempt's end, or a few more; the first may lack its beginning."""
    written = size_of(store, run)
    if not written or not run.attempt:
        return []
    # The first chunk counts as a whole.
    chunks = store.read(run.id, run.attempt, offset=max(written - size, 0), limit=size + MAX_CHUNK)
    return lines_of(frame for chunk in chunks for frame in chunk.frames)


def last_lines(store: OutputStore, run: Run, count: int = LINES) -> list[str]:
    """Of both streams together, in the order in which they came."""
    size = size_of(store, run)
    if not size or not run.attempt:
        return []
    chunks = store.read(run.id, run.attempt, offset=max(size - _TAIL, 0), limit=2 * _TAIL)
    written = b"".join(frame.data for chunk in chunks for frame in chunk.frames)
    lines = written.decode(errors="replace")[-_TAIL:].splitlines()
    return [line[:_LINE] for line in lines[-count:]]
