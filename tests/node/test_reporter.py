"""What runs write, and how they end, on its way into the store."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.output import Stream
from coal_mine.domain.run import End, Run, RunState, abandoned
from coal_mine.services.run_requests import RunRequest
from tests.support.agents import House, Line, frames_of, output_of
from tests.support.jobs import MINUTE, SECOND, Scene, scene_in
from tests.support.waiting import until

DONE, FAILED, KILLED, RUNNING = RunState.DONE, RunState.FAILED, RunState.KILLED, RunState.RUNNING


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path) as one:
        yield one


@pytest.fixture
def line(scene: Scene) -> Line:
    return Line(scene.store)


@pytest.fixture
def house(scene: Scene, line: Line, tmp_path: Path) -> Iterator[House]:
    with House(scene, tmp_path / "nodes", store=line) as one:
        yield one


def started(scene: Scene, house: House, command: Any, **body: Any) -> Run:
    run = scene.next_run(scene.job(command=command, **body))
    house.beat()
    house.claim()
    return run


def python(text: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", text]


def ended(scene: Scene, house: House, command: Any, **body: Any) -> Run:
    return house.ended(started(scene, house, command, **body))


def test_a_good_run_is_told_with_its_exit_code_and_what_it_used(scene: Scene, house: House) -> None:
    run = ended(scene, house, "true")
    result = run.result

    assert result is not None
    assert (run.state, run.node, result.exit_code, result.end) == (DONE, "alpha", 0, End.EXITED)
    assert result.max_memory is not None
    assert result.max_memory > 0


def test_its_canary_is_told_and_nothing_is_left_of_it(scene: Scene, house: House) -> None:
    run = ended(scene, house, "true")
    house.until("its directory's end", lambda: not house.directories())

    assert scene.history_of(run)[0].text.startswith("Triggered")
    assert not scene.get(run).owed


def test_a_failed_run_is_told_with_its_last_lines(scene: Scene, house: House) -> None:
    run = ended(scene, house, "echo disk full >&2; exit 3")
    house.until("its alert", lambda: scene.alerts)

    assert (run.state, run.reason) == (FAILED, "exit status 3")
    assert scene.details[0].endswith("disk full")


def test_a_signal_is_told(scene: Scene, house: House) -> None:
    run = ended(scene, house, "kill -USR1 $$")

    assert (run.state, run.reason) == (FAILED, f"ended by signal {int(signal.SIGUSR1)}")


def test_a_timeout_is_a_failure(scene: Scene, house: House) -> None:
    run = ended(scene, house, "sleep 600", timeout=0.1)

    assert (run.state, run.reason) == (FAILED, "timed out")


def test_a_program_that_does_not_exist_could_not_be_started(scene: Scene, house: House) -> None:
    run = ended(scene, house, ["/does/not/exist"])

    assert (run.state, run.result.end if run.result else None) == (FAILED, End.NOT_STARTED)


def test_a_failed_attempt_is_followed_by_another_with_an_output_of_its_own(scene: Scene, house: House, tmp_path: Path) -> None:
    command = f"echo $JOB_ATTEMPT; [ -e {tmp_path}/second ] || {{ touch {tmp_path}/second; exit 1; }}"
    run = started(scene, house, command, retries={"max": 1, "wait": 10})
    house.until("the next attempt's turn", lambda: scene.get(run).state is RunState.RETRYING)
    scene.clock.move(15 * SECOND)
    house.claim()
    found = house.ended(run)

    assert (found.state, found.attempt, [each.reason for each in found.past_attempts]) == (DONE, 2, ["exit status 1"])
    assert (output_of(scene.store, run), output_of(scene.store, run, attempt=2)) == (b"1\n", b"2\n")


def test_output_arrives_byte_for_byte(scene: Scene, house: House) -> None:
    run = ended(scene, house, python("import os; os.write(1, bytes(range(256)) * 300 + b'\\0\\xff\\xc3\\n2026-11-22T12:00:00Z x')"))

    assert output_of(scene.store, run) == bytes(range(256)) * 300 + b"\0\xff\xc3\n2026-11-22T12:00:00Z x"


def test_both_streams_arrive_in_the_order_in_which_they_were_written(scene: Scene, house: House, tmp_path: Path) -> None:
    run = started(scene, house, f"for i in 1 2 3; do echo out; while [ ! -e {tmp_path}/$i ]; do sleep 0.01; done; echo err >&2; "
        f"while [ ! -e {tmp_path}/e$i ]; do sleep 0.01; done; done")  # fmt: skip
    for number in "123":
        house.until("a line", lambda number=number: output_of(scene.store, run, Stream.STDOUT).count(b"out") == int(number))
        (tmp_path / number).touch()
        house.until("a line", lambda number=number: output_of(scene.store, run, Stream.STDERR).count(b"err") == int(number))
        (tmp_path / f"e{number}").touch()
    house.ended(run)

    assert output_of(scene.store, run) == b"out\nerr\n" * 3


def test_output_can_be_read_while_the_run_lives(scene: Scene, house: House) -> None:
    run = started(scene, house, "echo hello; sleep 600")
    house.until("its first line", lambda: output_of(scene.store, run) == b"hello\n")

    assert not scene.get(run).has_ended


def test_of_fifty_megabytes_beginning_and_end_are_kept(scene: Scene, house: House) -> None:
    write = "import sys\nfor number in range(5_000_000): sys.stdout.write('%09d\\n' % number)"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = ended(scene, house, python(write))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    frames = frames_of(scene.store, run)
    kept = b"".join(frame.data for frame in frames)

    assert run.result is not None
    assert run.result.stdout_bytes == 50_000_000
    assert kept.startswith(b"".join(b"%09d\n" % number for number in range(99_000)))
    assert kept.endswith(b"".join(b"%09d\n" % number for number in range(4_901_000, 5_000_000)))
    assert len(kept) < 10_000_000
    assert grown < 60_000  # KB


def test_two_hundred_runs_at_once_all_arrive(scene: Scene, tmp_path: Path) -> None:
    with House(scene, tmp_path / "nodes", slots=200) as house:
        job = scene.job(command="echo out $JOB_RUN_ID; echo err >&2", overlap="allow")
        runs = [scene.runs.start(job.id, RunRequest())[0] for _ in range(200)]
        for _ in range(3):
            house.claim()
        found = house.until("the end of all", lambda: _all_over(scene, runs))

    assert {run.state for run in found} == {DONE}
    assert all(output_of(scene.store, run, Stream.STDOUT) == f"out {run.id}\n".encode() for run in found)


def _all_over(scene: Scene, runs: list[Run]) -> list[Run]:
    found = list(scene.store.runs.find([run.id for run in runs]).values())
    return found if all(run.has_ended for run in found) else []


def test_a_store_that_is_away_for_a_while_loses_nothing(scene: Scene, house: House, line: Line, tmp_path: Path) -> None:
    command = f"echo one; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done; echo two >&2"
    run = started(scene, house, command)
    house.until("its first line", lambda: output_of(scene.store, run))
    with line.cut():
        (tmp_path / "go").touch()
        until("its end", lambda: house.directories()[0].result())
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                house.report()
    found = house.ended(run)

    assert (found.state, output_of(scene.store, run)) == (DONE, b"one\ntwo\n")


def test_output_whose_arrival_is_unknown_is_written_again_as_it_was(scene: Scene, house: House, line: Line, tmp_path: Path) -> None:
    run = started(scene, house, f"echo one; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done; echo two")
    with line.losing("output.add"):
        until("its first line", lambda: _loses_an_answer(house) and output_of(scene.store, run))
    (tmp_path / "go").touch()
    until("its end", lambda: house.directories()[0].result())
    house.ended(run)

    assert output_of(scene.store, run) == b"one\ntwo\n"


def _loses_an_answer(house: House) -> bool:
    try:
        house.report()
    except StoreUnavailable:
        return True
    return False


@pytest.mark.parametrize("call", ["runs.change", "runs.settled"])
def test_ends_whose_answer_was_lost_are_told_once(scene: Scene, house: House, line: Line, call: str) -> None:
    tried_again = scene.job(command="exit 1", retries={"max": 3, "wait": 600})
    over = scene.job(command="exit 1", failure_alerts="every")
    scene.next_run(over)
    house.beat()
    house.claim()
    until("both ends", lambda: len(house.directories()) == 2 and all(each.result() for each in house.directories()))
    with line.losing(call), pytest.raises(StoreUnavailable):
        house.report()
    house.until("the end of their directories", lambda: not house.directories())

    assert [len(run.past_attempts) for run in scene.runs_of(tried_again) if run.attempt] == [1]
    assert scene.alerts == ["FAILED"]


def test_an_end_whose_answer_was_lost_is_told_although_nobody_asks_again_for_long(scene: Scene, house: House, line: Line) -> None:
    started(scene, house, "exit 1")
    until("its end", lambda: house.directories()[0].result())
    with line.losing("runs.change"), pytest.raises(StoreUnavailable):
        house.report()
    scene.clock.move(MINUTE)
    house.until("the end of its directory", lambda: not house.directories())

    assert scene.alerts == ["FAILED"]


def test_an_end_is_written_again_with_the_same_time(scene: Scene, house: House, line: Line) -> None:
    run = started(scene, house, "exit 1")
    until("its end", lambda: house.directories()[0].result())
    with line.losing("runs.change"), pytest.raises(StoreUnavailable):
        house.report()
    before = scene.get(run)
    scene.clock.move(SECOND)
    house.until("the end of its directory", lambda: not house.directories())

    assert (before.state, scene.get(run).ended_at) == (FAILED, before.ended_at)
    assert not scene.get(run).owed


def test_a_kill_ends_the_whole_tree(scene: Scene, house: House) -> None:
    run = started(scene, house, "sleep 600 & echo $!; wait")
    pid = house.until("the child's number", lambda: output_of(scene.store, run).strip())
    scene.runs.kill(run.id)
    scene.clock.move(SECOND)
    found = house.ended(run)

    assert (found.state, found.orders) == (KILLED, ())
    assert not Path(f"/proc/{int(pid)}").exists() or "Z" in Path(f"/proc/{int(pid)}/stat").read_text().rpartition(")")[2]


def test_signals_are_passed_on_once_and_in_their_order(scene: Scene, house: House) -> None:
    handlers = "signal.signal(10, lambda *a: print('usr1', flush=True)); signal.signal(12, lambda *a: print('usr2', flush=True))"
    run = started(scene, house, python(f"import signal; {handlers}; print('ready', flush=True)\nwhile True: signal.pause()"))
    house.until("that it listens", lambda: b"ready" in output_of(scene.store, run))
    scene.runs.signal(run.id, "USR1")
    scene.runs.signal(run.id, "USR2")
    scene.clock.move(SECOND)
    house.until("the signals", lambda: output_of(scene.store, run) == b"ready\nusr1\nusr2\n")

    assert scene.get(run).orders == ()


def test_a_supervisor_that_is_killed_leaves_a_failed_run_and_no_process(scene: Scene, house: House) -> None:
    run = started(scene, house, "echo $$; sleep 600")
    pid = int(house.until("the number", lambda: output_of(scene.store, run).strip()))
    supervisor = house.directories()[0].supervisor()
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    scene.clock.move(2 * SECOND)
    found = house.ended(run)

    assert found.state is FAILED
    assert found.reason.startswith("its supervisor ended without a result")
    until("the end of its command", lambda: not Path(f"/proc/{pid}").exists())


def test_what_a_run_had_written_is_counted_although_its_supervisor_was_killed(scene: Scene, house: House) -> None:
    run = started(scene, house, "echo four; echo 1234567 >&2; sleep 600")
    house.until("all output", lambda: len(output_of(scene.store, run)) == 13)
    supervisor = house.directories()[0].supervisor()
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    scene.clock.move(2 * SECOND)
    result = house.ended(run).result

    assert result is not None
    assert (result.stdout_bytes, result.stderr_bytes) == (5, 8)


def test_a_run_that_could_not_begin_because_its_lease_had_ended_is_run_again(scene: Scene, house: House) -> None:
    run = scene.next_run(scene.job(on_lost="rerun"))
    house.beat()
    house.end_supervisors_lease()
    house.claim()
    house.until("that it is to be run again", lambda: scene.get(run).state is RunState.QUEUED)

    assert (scene.get(run).reason, scene.get(run).epoch) == ("its node's lease had ended or was about to", 2)


def test_when_a_run_ends_the_next_one_that_waits_is_called(scene: Scene, house: House, tmp_path: Path) -> None:
    job = scene.job(command=f"while [ ! -e {tmp_path}/go ]; do sleep 0.01; done", overlap="queue", start_deadline=600)
    first = scene.next_run(job)
    house.beat()
    house.claim()
    waiting = scene.next_run(job)
    house.beat()
    house.claim()
    put_off = scene.get(waiting).due_at - scene.now
    (tmp_path / "go").touch()
    house.ended(first)
    house.until("the call", lambda: scene.get(waiting).due_at <= scene.now)

    assert put_off >= SECOND


# What others say of a run


def test_a_run_that_was_taken_for_unreachable_is_running_again_once_its_node_is_back(scene: Scene, house: House) -> None:
    run = house.running(started(scene, house, "sleep 600"))
    scene.write(abandoned(run, "silent", scene.now))
    scene.clock.move(MINUTE)
    house.report()

    assert scene.get(run).state is RUNNING


def test_after_a_lapse_of_the_lease_that_is_found_out_at_once(scene: Scene, house: House) -> None:
    run = house.running(started(scene, house, "sleep 600"))
    scene.write(abandoned(run, "silent", scene.now))
    house.lapse()
    house.report()

    assert scene.get(run).state is RUNNING


# Bad directories


def one_and_another(scene: Scene, house: House, command: str, **body: Any) -> tuple[Run, Run]:
    """A run under way, and one of another job that is due afterwards."""
    job = scene.job(command=command, schedules=[], **body)
    (first,) = scene.runs.start(job.id, RunRequest())
    house.beat()
    house.claim()
    first = house.running(first)
    (second,) = scene.runs.start(scene.job(command="true", schedules=[]).id, RunRequest())
    return first, second


def test_a_run_whose_directory_was_removed_is_lost_and_its_command_killed(scene: Scene, house: House) -> None:
    run, _ = one_and_another(scene, house, "echo $$; sleep 600")
    pid = int(house.until("the number", lambda: output_of(scene.store, run).strip()))
    shutil.rmtree(house.directories()[0].path)
    scene.clock.move(2 * SECOND)
    found = house.ended(run)

    assert (found.state, found.reason.partition(";")[0]) == (RunState.LOST, "its directory was removed from the spool")
    until("the end of its command", lambda: not Path(f"/proc/{pid}").exists())


def test_a_removed_directory_keeps_no_other_run_from_being_told(scene: Scene, house: House) -> None:
    _, other = one_and_another(scene, house, "sleep 600")
    shutil.rmtree(house.directories()[0].path)
    scene.clock.move(2 * SECOND)
    house.claim()

    assert house.ended(other).state is DONE


def test_a_directory_that_tells_nonsense_keeps_no_other_run_from_being_told(scene: Scene, house: House) -> None:
    run, other = one_and_another(scene, house, "sleep 600")
    supervisor = house.directories()[0].path / "supervisor"
    identity = os.readlink(supervisor)
    supervisor.unlink()
    supervisor.touch()  # no link
    scene.clock.move(2 * SECOND)
    house.claim()
    state = house.ended(other).state
    supervisor.unlink()
    supervisor.symlink_to(identity)

    assert (state, scene.get(run).state) == (DONE, RUNNING)


def test_a_run_whose_output_cannot_be_read_ends_all_the_same(scene: Scene, house: House, tmp_path: Path) -> None:
    run, _ = one_and_another(scene, house, f"while [ ! -e {tmp_path}/go ]; do sleep 0.01; done; exit 3")
    (house.directories()[0].path / "output-nonsense").touch()
    (tmp_path / "go").touch()

    assert house.ended(run).reason == "exit status 3"
