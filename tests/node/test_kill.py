"""When a run is killed, all that it started is gone before its result says so."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from coal_mine.node.processes.tree import Session, kill
from coal_mine.node.spool.directory import RunDirectory
from coal_mine.node.spool.record import Ending
from tests.node.workshop import Workshop, is_gone, output_of

_SOON = 0.2
# A parent and its child, which both end when they hear the signal.
_LISTENER = """
import os, signal, sys
def hear(*_):
    os.write(1, b"heard\\n")
    os._exit(4)
signal.signal(getattr(signal, f"SIG{sys.argv[1]}"), hear)
os.fork()
os.write(1, b"ready\\n")
signal.pause()
"""
_LONELY = """
import signal
def hear(*_):
    os.write(1, b"heard\\n")
    os._exit(0)
signal.signal(signal.SIGUSR1, hear)
os.write(1, b"ready\\n")
signal.pause()
"""
# Deaf to TERM, in a session of its own, its parent gone, with its own pid as a line of output.
_DEAF_DAEMON = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(1, b"%d\\n" % os.getpid())
            os.close(1)
            os.close(2)
            signal.pause()
        os._exit(0)
signal.pause()
"""
# Each of them lives for less than a millisecond, and its child goes on.
_CHAIN = "import os\nos.write(1, b'ready\\n')\nwhile os.fork() == 0: SETSID\n"


def _pids(workshop: Workshop, run: RunDirectory, many: int) -> list[int]:
    workshop.until(f"{many} pids", lambda: output_of(run).count(b"\n") == many)
    return [int(line) for line in output_of(run).split()]


def _signal_of_end(workshop: Workshop, run: RunDirectory) -> tuple[Ending, int | None]:
    result = workshop.result_of(run)
    return result.ending, result.signal


def test_a_killed_job_is_asked_to_end_first(workshop: Workshop) -> None:
    run = workshop.python(_LISTENER, "TERM")
    workshop.line_of(run, "ready\nready\n")
    run.request_kill()
    result = workshop.result_of(run)

    assert (result.ending, result.exit_code, output_of(run)) == (Ending.KILLED, 4, b"ready\n" * 2 + b"heard\n" * 2)


def test_a_job_that_does_not_listen_is_killed(each_workshop: Workshop) -> None:
    run = each_workshop.shell("trap '' TERM; echo ready; while :; do sleep 0.01; done", kill_wait_seconds=_SOON)
    each_workshop.line_of(run)
    run.request_kill()

    assert _signal_of_end(each_workshop, run) == (Ending.KILLED, signal.SIGKILL)


def test_a_stopped_job_can_be_killed(workshop: Workshop) -> None:
    run = workshop.shell("echo ready; kill -STOP $$")
    workshop.line_of(run)
    run.request_kill()

    assert _signal_of_end(workshop, run) == (Ending.KILLED, signal.SIGTERM)


def test_daemons_that_left_the_session_are_killed_too(each_workshop: Workshop) -> None:
    run = each_workshop.python(_DEAF_DAEMON, kill_wait_seconds=_SOON)
    daemons = _pids(each_workshop, run, 3)
    run.request_kill()
    result = each_workshop.result_of(run)

    assert (result.ending, result.left_behind, [is_gone(pid) for pid in daemons]) == (Ending.KILLED, 0, [True] * 3)


@pytest.mark.parametrize("step", ["pass", "os.setsid()"], ids=["one session", "many sessions"])
def test_a_chain_of_forks_is_broken(each_workshop: Workshop, step: str) -> None:
    run = each_workshop.python(_CHAIN.replace("SETSID", step), kill_wait_seconds=_SOON)
    each_workshop.line_of(run)
    run.request_kill()

    assert each_workshop.result_of(run).left_behind == 0


def test_a_run_that_was_killed_before_it_began_never_starts(workshop: Workshop, tmp_path: Path) -> None:
    run = workshop.create("touch", str(tmp_path / "trace"))
    run.request_kill()
    workshop.forker.start([run])
    result = workshop.result_of(run)

    assert (result.ending, result.exit_code, (tmp_path / "trace").exists()) == (Ending.KILLED, None, False)


def test_to_terminate_the_supervisor_is_to_kill_the_run(workshop: Workshop) -> None:
    run = workshop.shell("echo ready; sleep 100")
    workshop.line_of(run)
    supervisor = run.supervisor()
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGTERM)

    assert workshop.result_of(run).ending is Ending.KILLED


def test_a_signal_reaches_the_process_group_of_the_job(workshop: Workshop) -> None:
    run = workshop.python(_LISTENER, "USR1")
    workshop.line_of(run, "ready\nready\n")

    assert run.request_signal(signal.SIGUSR1)
    assert (workshop.result_of(run).exit_code, output_of(run)) == (4, b"ready\n" * 2 + b"heard\n" * 2)


def test_a_signal_for_nobody_is_not_delivered(workshop: Workshop) -> None:
    run = workshop.start("/bin/true")
    workshop.result_of(run)
    workshop.until("the supervisor to leave it", lambda: not run.request_signal(signal.SIGUSR1))

    assert workshop.result_of(run).ending is Ending.EXITED


def test_a_signal_reaches_those_of_the_group_who_outlive_the_job(workshop: Workshop) -> None:
    run = workshop.python("import os\nif os.fork():\n    os._exit(0)\n" + _LONELY)
    workshop.line_of(run)
    job = run.job()
    assert job is not None
    workshop.until("the end of the job", lambda: is_gone(job.pid))
    run.request_signal(signal.SIGUSR1)
    workshop.result_of(run)

    assert output_of(run) == b"ready\nheard\n"


def test_whoever_gets_the_number_of_a_job_that_is_over_lives() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "read line; exit 3"], stdin=subprocess.PIPE, start_new_session=True) as stranger:
        session = Session(stranger.pid)
        session.leader_was_reaped()
        kill(stranger.pid, session)
        session.pass_on(stranger.pid, signal.SIGTERM)
        stranger.communicate(b"\n")

    assert stranger.returncode == 3


def test_the_job_goes_when_its_supervisor_is_killed(workshop: Workshop) -> None:
    run = workshop.shell("echo $$; exec sleep 100")
    (job,) = _pids(workshop, run, 1)
    supervisor = run.supervisor()
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    workshop.until("the end of the job", lambda: is_gone(job))

    assert (run.is_alive(), run.result()) == (False, None)


def test_what_a_dead_supervisor_left_of_the_session_is_killed(each_workshop: Workshop) -> None:
    run = each_workshop.shell("sleep 100 & echo $!; sleep 100 & echo $!; wait")
    left = _pids(each_workshop, run, 2)
    supervisor, job = run.supervisor(), run.job()
    assert supervisor is not None
    assert job is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    each_workshop.until("the end of the job", lambda: is_gone(job.pid))

    assert run.kill_remains() == 2
    each_workshop.until("the end of the others", lambda: all(is_gone(pid) for pid in left))


def test_remains_of_a_finished_run_are_none(workshop: Workshop) -> None:
    run = workshop.start("/bin/true")
    workshop.result_of(run)

    assert run.kill_remains() == 0


def test_a_run_leaves_no_cgroup(workshop: Workshop) -> None:
    run = workshop.shell("sleep 100 & echo ready; wait")
    workshop.line_of(run)
    run.request_kill()
    workshop.result_of(run)

    assert not (run.path / "cgroup").exists()  # the link leads nowhere, or there was none
