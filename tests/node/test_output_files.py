"""The files of the output, written and read directly."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coal_mine.node.spool.frames import Frame, Stream, header
from coal_mine.node.spool.output import OutputWriter, segment_name
from coal_mine.node.spool.output_reader import OutputReader

_BIG = 1_000_000


@contextmanager
def _files_limited_to(size: int) -> Iterator[None]:
    """The same as a full disk to whoever writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_frame_that_is_half_written_is_not_there_yet(tmp_path: Path) -> None:
    whole = header(Stream.STDOUT, 5, 3) + b"abc"
    half = header(Stream.STDERR, 6, 3) + b"d"
    (tmp_path / segment_name(0)).write_bytes(whole + half)

    assert OutputReader(tmp_path).read(0).frames == (Frame(Stream.STDOUT, 5, b"abc"),)


def test_a_half_written_frame_is_read_once_it_is_whole(tmp_path: Path) -> None:
    reader = OutputReader(tmp_path)
    whole = header(Stream.STDOUT, 5, 3) + b"abc"
    (tmp_path / segment_name(0)).write_bytes(whole[:-1])
    before = reader.read(0)
    (tmp_path / segment_name(0)).write_bytes(whole)

    assert (before.frames, reader.read(before.position).frames) == ((), (Frame(Stream.STDOUT, 5, b"abc"),))


def test_what_a_full_disk_did_not_take_is_missing_and_counted(tmp_path: Path) -> None:
    writer = OutputWriter(_BIG, _BIG, str(tmp_path))
    writer.write(Stream.STDOUT, 0, b"a" * 100)
    with _files_limited_to(150):
        writer.write(Stream.STDOUT, 1, b"b" * 100)
    writer.write(Stream.STDOUT, 2, b"c" * 100)
    reader = OutputReader(tmp_path)
    first = reader.read(0)
    second = reader.read(first.position)

    assert (writer.unwritten, writer.produced) == (100, 300)
    assert (first.frames[0].data, second.dropped, second.frames[0].data) == (b"a" * 100, 100, b"c" * 100)


def test_a_disk_that_is_full_from_the_start_leaves_no_files(tmp_path: Path) -> None:
    writer = OutputWriter(_BIG, _BIG, str(tmp_path))
    with _files_limited_to(10):
        for _ in range(3):
            writer.write(Stream.STDOUT, 0, b"a" * 100)

    assert (list(tmp_path.iterdir()), writer.unwritten) == ([], 300)


def test_tiny_frames_do_not_fill_the_disk_with_headers(tmp_path: Path) -> None:
    writer = OutputWriter(1000, 1000, str(tmp_path))
    for _ in range(20_000):
        writer.write(Stream.STDOUT, 0, b"a")

    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 2 * (1000 + 2 * 1000) + 100


def test_a_reader_that_comes_back_finds_where_the_tail_begins(tmp_path: Path) -> None:
    writer = OutputWriter(100, 100, str(tmp_path))
    reader = OutputReader(tmp_path)
    for number in range(50):
        writer.write(Stream.STDOUT, number, b"%02d" % number * 20)
    first = reader.read(500)
    last = first
    while (piece := reader.read(last.position)).frames:
        last = piece

    assert (first.dropped > 0, last.position, last.frames[-1].data) == (True, 2000, b"49" * 20)


def test_of_a_run_without_a_result_what_made_way_is_counted_too(tmp_path: Path) -> None:
    (tmp_path / segment_name(0)).write_bytes(header(Stream.STDERR, 5, 3) + b"abc")
    (tmp_path / segment_name(10)).write_bytes(header(Stream.STDOUT, 6, 2) + b"de" + header(Stream.STDERR, 7, 1))

    assert OutputReader(tmp_path).sizes() == {Stream.STDOUT: 7 + 2, Stream.STDERR: 3}
