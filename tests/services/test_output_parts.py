"""Reading output of which the middle was dropped, because the run wrote too much."""

from __future__ import annotations

import pytest

from coal_mine.domain.output import Chunk, Frame, Stream
from coal_mine.domain.run import gone
from coal_mine.services.run_output import OutputPart, read_part
from tests.services.conftest import Office
from tests.support.jobs import Scene


@pytest.fixture
def gapped(office: Office) -> Office:
    """Ten bytes, of which the fifth to the seventh are gone."""
    head = (Frame(Stream.STDOUT, 0, b"ab"), Frame(Stream.STDERR, 1, b"cd"))
    office.store.output.add([Chunk(run_id="run", attempt=1, offset=0, frames=head)])
    office.store.output.add([Chunk(run_id="run", attempt=1, offset=7, frames=(Frame(Stream.STDOUT, 2, b"hij"),))])
    return office


def part(office: Office, *, offset: int = 0, limit: int = 100, stream: str = "both") -> OutputPart:
    return read_part(office.store.output, "run", 1, stream=stream, offset=offset, limit=limit, is_over=True)


def test_dropped_bytes_are_counted_and_jumped_over(gapped: Office) -> None:
    found = part(gapped)

    assert (found.data, found.next_offset, found.dropped, found.first_gap, found.complete) == (b"abcdhij", 10, 3, 4, True)


def test_dropped_bytes_count_for_a_single_stream_too(gapped: Office) -> None:
    found = part(gapped, stream="stderr")

    assert (found.data, found.next_offset, found.dropped) == (b"cd", 10, 3)


def test_an_offset_in_the_gap_goes_on_behind_it(gapped: Office) -> None:
    found = part(gapped, offset=5)

    assert (found.data, found.next_offset, found.dropped, found.first_gap) == (b"hij", 10, 2, 5)


@pytest.mark.parametrize(
    ("offset", "limit", "data", "next_offset"),
    [(1, 2, b"bc", 3), (3, 1, b"d", 4), (3, 2, b"d", 4), (9, 1, b"j", 10), (8, 9, b"ij", 10)],
)
def test_at_most_the_limit_comes_and_the_next_part_goes_on_behind_it(
    gapped: Office, offset: int, limit: int, data: bytes, next_offset: int
) -> None:
    found = part(gapped, offset=offset, limit=limit)

    assert (found.data, found.next_offset, found.complete) == (data, next_offset, next_offset == 10)


def test_parts_of_any_size_make_up_the_whole(gapped: Office) -> None:
    for limit in range(1, 8):
        whole, offset, complete = b"", 0, False
        while not complete:
            found = part(gapped, offset=offset, limit=limit)
            whole, offset, complete = whole + found.data, found.next_offset, found.complete

        assert whole == b"abcdhij"


def test_what_a_lost_attempt_wrote_is_complete_while_the_run_waits_to_be_run_again(scene: Scene) -> None:
    run = scene.start(scene.next_run(scene.job(on_lost="rerun")))
    scene.write(gone(run, "its node was restarted", scene.now))

    assert scene.runs.output(run.id, attempt=1, limit=1).complete


def test_what_an_attempt_wrote_that_is_under_way_is_not_complete(scene: Scene) -> None:
    run = scene.start(scene.next_run(scene.job(on_lost="rerun")))

    assert not scene.runs.output(run.id, attempt=1, limit=1).complete
