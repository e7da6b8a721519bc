"""Runs outlive those who ordered them, and nobody starts one twice."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coal_mine.node.spool.directory import RunDirectory
from coal_mine.node.spool.record import Ending, Spec
from coal_mine.node.spool.spool import Spool, SpoolTaken
from tests.node.workshop import Workshop, output_of
from tests.support.waiting import until

# An agent that is killed as soon as the run that it started has written something.
_AGENT = """
import os, select, sys
from pathlib import Path
from coal_mine.node.agent.forker import Forker
from coal_mine.node.spool.record import Spec
from coal_mine.node.spool.spool import Spool
spool = Spool(Path(sys.argv[1]))
run = spool.create("orphan", Spec(run_id="orphan", argv=("/bin/sh", "-c", sys.argv[2])))
forker = Forker(spool)
forker.start([run])
while not run.output.read(0).frames:
    select.select([spool], [], [])
    spool.heard()
os.kill(forker.pid, 9)
os.kill(os.getpid(), 9)
"""


def test_a_new_agent_adopts_the_runs_of_one_that_was_killed(tmp_path: Path) -> None:
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    job = f"echo ready; read x < {fifo}; echo end; exit 5"
    agent = subprocess.run([sys.executable, "-c", _AGENT, str(tmp_path / "spool"), job], check=False)
    with Workshop(tmp_path / "spool") as successor:
        (run,) = successor.spool.runs()
        was_alive = run.is_alive()
        fifo.write_text("\n")
        result = successor.result_of(run)

        assert (agent.returncode, run.spec.run_id, was_alive) == (-signal.SIGKILL, "orphan", True)
        assert (result.exit_code, output_of(run)) == (5, b"ready\nend\n")


def test_a_run_ends_and_tells_although_nobody_listens(tmp_path: Path) -> None:
    job = "echo ready; sleep 0.2; yes | head -c 300000"
    subprocess.run([sys.executable, "-c", _AGENT, str(tmp_path / "spool"), job], check=False)
    with Workshop(tmp_path / "spool") as successor:
        (run,) = successor.spool.runs()

        assert (successor.result_of(run).exit_code, len(output_of(run))) == (0, 300_006)


def test_a_forker_that_died_is_replaced(workshop: Workshop) -> None:
    workshop.result_of(workshop.start("/bin/true"))
    first = workshop.forker.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)

    assert workshop.result_of(workshop.start("/bin/true")).exit_code == 0
    assert workshop.forker.pid != first


def test_what_a_forker_did_not_do_before_it_died_another_one_does(workshop: Workshop) -> None:
    workshop.result_of(workshop.start("/bin/true"))
    first = workshop.forker.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    run = workshop.start("/bin/sh", "-c", "exit 7")
    os.kill(first, signal.SIGKILL)

    assert workshop.result_of(run).exit_code == 7


def test_nor_is_it_forgotten_when_the_forker_dies_while_the_next_order_is_given(workshop: Workshop) -> None:
    workshop.forker.prepare()
    first = workshop.forker.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    older, newer = workshop.start("/bin/true"), workshop.create("/bin/true")

    def runs() -> Iterator[RunDirectory]:
        """Asked for when the forker was found alive."""
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        yield newer

    workshop.forker.start(runs())

    assert [workshop.result_of(run).exit_code for run in (older, newer)] == [0, 0]


def test_a_run_goes_on_when_its_forker_dies(workshop: Workshop, tmp_path: Path) -> None:
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    run = workshop.shell(f"echo ready; read x < {fifo}; exit 6")
    workshop.line_of(run)
    workshop.forker.close()
    fifo.write_text("\n")

    assert workshop.result_of(run).exit_code == 6


def test_to_start_a_run_twice_starts_it_once(workshop: Workshop, tmp_path: Path) -> None:
    runs = [workshop.create("/bin/sh", "-c", f"echo >> {tmp_path}/{number}") for number in range(20)]
    workshop.forker.start([*runs, *runs])
    workshop.forker.close()
    workshop.forker.start(runs)
    for run in runs:
        workshop.result_of(run)
    # What follows is started after all orders before it.
    workshop.result_of(workshop.start("/bin/true"))

    assert [(tmp_path / str(number)).read_text() for number in range(20)] == ["\n"] * 20


def test_many_runs_are_started_with_one_message(workshop: Workshop) -> None:
    runs = [workshop.create("/bin/sh", "-c", f"exit {number}") for number in range(100)]
    workshop.forker.start(runs)

    assert [workshop.result_of(run).exit_code for run in runs] == list(range(100))


def test_a_run_without_supervisor_is_not_alive(workshop: Workshop) -> None:
    run = workshop.create("/bin/true")

    assert (run.supervisor(), run.is_alive(), run.result()) == (None, False, None)


def test_a_process_that_got_the_pid_of_a_supervisor_is_not_taken_for_it(workshop: Workshop) -> None:
    run = workshop.create("/bin/true")
    os.symlink(f"{os.getpid()} 1 {Path('/proc/sys/kernel/random/boot_id').read_text().strip()}", run.path / "supervisor")

    assert not run.is_alive()


def test_a_run_from_before_the_machine_started_is_not_alive(workshop: Workshop) -> None:
    run = workshop.shell("echo ready; sleep 100")
    workshop.line_of(run)
    supervisor = run.supervisor()
    assert supervisor is not None
    old = workshop.create("/bin/true")
    os.symlink(f"{supervisor.pid} {supervisor.started} another-boot", old.path / "supervisor")

    assert (run.is_alive(), old.is_alive()) == (True, False)


def test_what_an_agent_left_half_made_is_removed(workshop: Workshop) -> None:
    whole = workshop.create("/bin/true")
    half = workshop.spool.path / "runs" / "half"
    half.mkdir()
    (half / "spec.json.new").write_text("{")

    assert [run.name for run in workshop.spool.runs()] == [whole.name]
    assert not half.exists()


def test_a_removed_run_is_gone(workshop: Workshop) -> None:
    run = workshop.start("/bin/true")
    workshop.result_of(run)
    run.remove()

    assert (workshop.spool.runs(), run.path.exists()) == ([], False)


def test_a_spool_belongs_to_one_agent(workshop: Workshop) -> None:
    with pytest.raises(SpoolTaken, match="belongs to another node"):
        Spool(workshop.spool.path)


def test_a_directory_that_could_not_be_made_leaves_nothing_behind(workshop: Workshop) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError, match=r"large|part"):
            workshop.create("/bin/true")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list((workshop.spool.path / "runs").iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "../x", "a/b", "a\nb", "a\0b", "x" * 201])
def test_a_name_that_is_no_file_name_is_refused(workshop: Workshop, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        workshop.spool.create(name, Spec(run_id="x", argv=("/bin/true",)))


def test_others_cannot_look_into_the_spool(workshop: Workshop) -> None:
    run = workshop.start("/bin/true")
    workshop.result_of(run)

    assert {workshop.spool.path.stat().st_mode & 0o777, run.path.stat().st_mode & 0o777} == {0o700}


def test_the_bell_names_the_runs_that_have_news(workshop: Workshop) -> None:
    heard: set[str] = set()
    run = workshop.shell("echo ready; sleep 100")
    while not run.output.read(0).frames:
        select.select([workshop.spool], [], [])
        heard.update(workshop.spool.heard() or ())

    assert heard == {run.name}


def _fill(bell: int) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(bell, b"x" * 200 + b"\n")


def test_a_bell_that_was_full_says_that_all_may_have_news(workshop: Workshop) -> None:
    _fill(workshop.spool.fileno())
    run = workshop.start("/bin/true")
    result = until("the result", run.result)

    assert result is not None
    assert (result.ending, workshop.spool.heard()) == (Ending.EXITED, None)
