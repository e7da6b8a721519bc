"""What runs have written."""

from __future__ import annotations

import pytest

from coal_mine.domain.output import MAX_CHUNK, Chunk, Frame, Stream
from coal_mine.domain.ports import Store
from tests.stores.examples import at_once

RUN = "job.20261122T120000123Z.any"


def chunk(offset: int, data: bytes = b"0123456789", *, run_id: str = RUN, attempt: int = 1) -> Chunk:
    return Chunk(run_id=run_id, attempt=attempt, offset=offset, frames=(Frame(Stream.STDOUT, offset, data),))


def read(store: Store, offset: int = 0, limit: int = 1_000_000, *, run_id: str = RUN, attempt: int = 1) -> list[Chunk]:
    return store.output.read(run_id, attempt, offset=offset, limit=limit)


@pytest.fixture
def chunks(store: Store) -> list[Chunk]:
    """Ten with ten bytes each."""
    added = [chunk(offset) for offset in range(0, 100, 10)]
    store.output.add(added)
    return added


def test_frames_come_back_byte_for_byte_in_their_order(store: Store) -> None:
    frames = (Frame(Stream.STDOUT, 0, bytes(range(256))), Frame(Stream.STDERR, 4_294_967_295, b"\xff\0\n"), Frame(Stream.STDOUT, 7, b""))
    one = Chunk(run_id=RUN, attempt=1, offset=0, frames=frames)
    store.output.add([one])

    assert read(store) == [one]


def test_a_chunk_of_the_largest_size_comes_back(store: Store) -> None:
    one = chunk(2**40, b"x" * MAX_CHUNK)
    store.output.add([one])

    assert read(store) == [one]


def test_chunks_come_in_order_however_they_were_added(store: Store) -> None:
    store.output.add([chunk(20), chunk(0)])
    store.output.add([chunk(10)])

    assert read(store) == [chunk(0), chunk(10), chunk(20)]


def test_what_is_there_already_stays_as_it_is(store: Store) -> None:
    store.output.add([chunk(0)])
    store.output.add([chunk(0, b"other"), chunk(10)])

    assert read(store) == [chunk(0), chunk(10)]


def test_nothing_added_is_nothing_to_read(store: Store) -> None:
    store.output.add([])

    assert read(store) == []


def test_runs_and_attempts_are_kept_apart(store: Store) -> None:
    other, second = chunk(0, b"other", run_id=f"{RUN}2"), chunk(0, b"second", attempt=2)
    store.output.add([chunk(0), other, second])

    assert read(store) == [chunk(0)]
    assert read(store, run_id=other.run_id) == [other]
    assert read(store, attempt=2) == [second]
    assert read(store, attempt=3) == []


@pytest.mark.parametrize(("offset", "first"), [(0, 0), (1, 0), (9, 0), (10, 1), (55, 5), (99, 9), (100, 10), (1_000, 10)])
def test_only_chunks_that_end_behind_the_offset_are_read(store: Store, chunks: list[Chunk], offset: int, first: int) -> None:
    assert read(store, offset) == chunks[first:]


@pytest.mark.parametrize(("limit", "count"), [(0, 1), (1, 1), (10, 1), (11, 2), (20, 2), (100, 10), (1_000, 10)])
def test_chunks_are_read_until_they_hold_the_limit(store: Store, chunks: list[Chunk], limit: int, count: int) -> None:
    assert read(store, 0, limit) == chunks[:count]


def test_a_limit_counts_from_the_first_chunk_that_is_read(store: Store, chunks: list[Chunk]) -> None:
    assert read(store, 35, 20) == chunks[3:5]


def test_all_can_be_read_by_going_on_where_the_last_chunk_ended(store: Store, chunks: list[Chunk]) -> None:
    found: list[Chunk] = []
    while part := read(store, found[-1].end if found else 0, 25):
        found += part

    assert found == chunks


@pytest.mark.parametrize(
    ("start", "end", "left"), [(20, 80, {0, 1, 8, 9}), (15, 85, {0, 1, 8, 9}), (25, 34, set(range(10))), (0, 100, set())]
)
def test_chunks_that_lie_wholly_between_two_offsets_are_dropped(
    store: Store, chunks: list[Chunk], start: int, end: int, left: set[int]
) -> None:
    store.output.drop(RUN, 1, start=start, end=end)

    assert read(store) == [chunks[place] for place in sorted(left)]


def test_reading_goes_on_behind_what_was_dropped(store: Store, chunks: list[Chunk]) -> None:
    store.output.drop(RUN, 1, start=20, end=80)

    assert read(store, 20) == read(store, 55) == chunks[8:]


def test_dropping_concerns_one_attempt_of_one_run(store: Store, chunks: list[Chunk]) -> None:
    store.output.drop(RUN, 2, start=0, end=100)
    store.output.drop(f"{RUN}2", 1, start=0, end=100)

    assert read(store) == chunks


def test_chunks_that_are_added_twice_at_once_are_there_once(store: Store) -> None:
    batches = [[chunk(offset, bytes([number])) for offset in range(20)] for number in range(6)]
    at_once([lambda batch=batch: store.output.add(batch) for batch in batches])

    assert [one.offset for one in read(store)] == list(range(20))


def test_where_the_output_of_an_attempt_ends_is_known_even_when_its_middle_was_dropped(store: Store, chunks: list[Chunk]) -> None:
    store.output.drop(RUN, 1, start=10, end=50)
    store.output.add([chunk(300, attempt=2)])

    assert [store.output.end(RUN, attempt) for attempt in (1, 2, 3)] == [chunks[-1].end, 310, 0]
