"""What a job writes arrives as it was written, while it runs and afterwards."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from coal_mine.node.spool.frames import Stream
from tests.node.workshop import Workshop, frames_of, joined, output_of

# Larger where time is given for it.
_MEGABYTES = 1000 if "FAULTS_SECONDS" in os.environ else 100
_FLOOD = "import os\nline = b'0123456789abcdef' * 4096\nfor _ in range(int(os.sys.argv[1]) * 1_000_000 // len(line) + 1): os.write(1, line)"


def test_both_streams_are_kept_apart(workshop: Workshop) -> None:
    run = workshop.shell("echo out; echo err >&2")
    workshop.result_of(run)

    assert (output_of(run, Stream.STDOUT), output_of(run, Stream.STDERR)) == (b"out\n", b"err\n")


def test_frames_are_in_the_order_in_which_they_came(workshop: Workshop, tmp_path: Path) -> None:
    gates = [tmp_path / "first", tmp_path / "second"]
    for gate in gates:
        os.mkfifo(gate)
    run = workshop.shell(f"echo 1; read x < {gates[0]}; echo 2 >&2; read x < {gates[1]}; echo 3")
    for line, gate in zip(("1\n", "2\n"), gates, strict=True):
        workshop.line_of(run, line)
        gate.write_text("\n")
    workshop.result_of(run)

    assert [(frame.stream, frame.data) for frame in frames_of(run)] == [
        (Stream.STDOUT, b"1\n"),
        (Stream.STDERR, b"2\n"),
        (Stream.STDOUT, b"3\n"),
    ]


def test_bytes_are_kept_whatever_they_mean(workshop: Workshop) -> None:
    odd = bytes(range(256)) * 3 + b"\xff\xfe\x00\r\n2026-11-22T12:00:00Z no end"
    run = workshop.python(f"import os; os.write(1, {odd!r})")
    workshop.result_of(run)

    assert output_of(run) == odd


def test_output_is_readable_while_the_job_runs(workshop: Workshop) -> None:
    run = workshop.shell("echo ready; sleep 100")
    workshop.line_of(run)

    assert run.result() is None


def test_reading_goes_on_in_the_middle_of_a_frame(workshop: Workshop) -> None:
    run = workshop.shell("echo 0123456789")
    workshop.result_of(run)

    first = run.output.read(0, limit=4)
    assert (joined(first.frames), first.position) == (b"0123", 4)
    assert joined(run.output.read(first.position).frames) == b"456789\n"


def test_result_counts_what_each_stream_produced(workshop: Workshop) -> None:
    result, _ = workshop.ended_shell("echo out; echo error >&2")

    assert (result.stdout_bytes, result.stderr_bytes) == (4, 6)


def test_of_much_output_the_head_and_the_tail_are_kept(workshop: Workshop) -> None:
    run = workshop.python("import sys\nfor n in range(100_000): print(f'{n:09}')", head_bytes=20_000, tail_bytes=30_000)
    workshop.result_of(run)
    head = run.output.read(0)
    position, kept, dropped = 0, b"", 0
    while (piece := run.output.read(position)).frames:
        kept, dropped, position = kept + joined(piece.frames), dropped + piece.dropped, piece.position

    everything = b"".join(b"%09d\n" % number for number in range(100_000))
    assert everything.startswith(joined(head.frames)[:20_000])
    assert everything[-30_000:] == kept[-30_000:]
    assert len(kept) + dropped == position == 1_000_000


def test_much_output_leaves_little_on_the_disk_and_does_not_wait(workshop: Workshop) -> None:
    run = workshop.python(_FLOOD, str(_MEGABYTES), head_bytes=1_000_000, tail_bytes=1_000_000)
    result = workshop.result_of(run)

    assert result.stdout_bytes > _MEGABYTES * 1_000_000
    assert sum(file.stat().st_size for file in run.path.glob("output-*")) < 3_500_000


def test_a_supervisor_does_not_grow_with_the_output(workshop: Workshop) -> None:
    run = workshop.python(f"{_FLOOD}\nprint('ready', flush=True)\nos.read(os.open('/dev/zero', 0), 1); __import__('signal').pause()", "30")
    workshop.until("all of the output", lambda: run.output.read(30_000_000).frames)
    supervisor = run.supervisor()
    assert supervisor is not None
    with open(f"/proc/{supervisor.pid}/status", encoding="ascii") as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))

    assert peak < 25_000


def test_a_reader_loses_nothing_unnoticed_while_the_output_rotates(workshop: Workshop) -> None:
    run = workshop.python("import sys\nfor n in range(300_000): print(f'{n:09}')", head_bytes=50_000, tail_bytes=50_000)
    position, wrong = 0, 0
    while True:
        is_over = run.result() is not None
        piece = run.output.read(position, limit=40_000)
        data = joined(piece.frames)
        begin = position + piece.dropped
        wrong += data != b"".join(b"%09d\n" % n for n in range(begin // 10, (begin + len(data)) // 10 + 1))[begin % 10 :][: len(data)]
        position = piece.position
        if is_over and not piece.frames:
            break

    assert (wrong, position) == (0, 3_000_000)


def test_a_full_disk_does_not_disturb_a_job(workshop: Workshop) -> None:
    workshop.result_of(workshop.start("/bin/true"))  # so that there is a forker
    assert workshop.forker.pid is not None
    # No file may be longer than this: the same as a full disk to whoever writes.
    resource.prlimit(workshop.forker.pid, resource.RLIMIT_FSIZE, (30_000, 30_000))
    run = workshop.create("/bin/sh", "-c", "yes 0123456789 | head -c 1000000", head_bytes=1_000_000, tail_bytes=10_000)
    other = workshop.create("/bin/sh", "-c", "yes 0123456789 | head -c 1000000", head_bytes=1_000_000, tail_bytes=10_000)
    workshop.forker.start([run, other])  # one goes to the supervisor of the first run, which knows no limit
    results = [workshop.result_of(each) for each in (run, other)]

    assert [result.exit_code for result in results] == [0, 0]
    assert any(result.unwritten_bytes > 0 for result in results)
