"""What runs have written, as text for people."""

from __future__ import annotations

from collections.abc import Iterable

from coal_mine.domain.output import Frame
from coal_mine.domain.ports import Store
from coal_mine.domain.run import Run

LINES = 20
_LINE = 500  # characters of a line that are shown
_TAIL = 16_384  # bytes that are looked at


def size_of(run: Run) -> int:
    return run.result.size if run.result else 0


def last_lines(store: Store, run: Run, count: int = LINES) -> list[str]:
    """Of both streams together, in the order in which they came."""
    size = size_of(run)
    if not size or not run.attempt:
        return []
    chunks = store.output.read(run.id, run.attempt, offset=max(size - _TAIL, 0), limit=2 * _TAIL)
    text = as_text(frame for chunk in chunks for frame in chunk.frames)
    lines = text[-_TAIL:].splitlines()
    return [line[:_LINE] for line in lines[-count:]]


def as_text(frames: Iterable[Frame]) -> str:
    return b"".join(frame.data for frame in frames).decode(errors="replace")
