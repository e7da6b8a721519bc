"""When a run ends: with its output, at its time limit, before the lease of its node."""

from __future__ import annotations

import os
import signal

from coal_mine.clock import monotonic
from coal_mine.node.spool.record import Ending
from tests.node.workshop import Workshop, is_gone, output_of

_SOON = 0.2
_LATER = 1.5  # time enough to renew a lease, even on a busy machine
_MARGIN = 5.0  # before the end of a lease


def test_a_run_lasts_as_long_as_somebody_holds_its_output(workshop: Workshop, tmp_path: object) -> None:
    fifo = f"{tmp_path}/go"
    os.mkfifo(fifo)
    run = workshop.shell(f"(read x < {fifo}; echo child) & echo ready")
    workshop.line_of(run)
    job = run.job()
    assert job is not None
    workshop.until("the end of the shell", lambda: is_gone(job.pid))
    before = run.result()
    with open(fifo, "w", encoding="ascii") as go:
        go.write("\n")
    after = workshop.result_of(run)

    assert (before, after.exit_code, output_of(run)) == (None, 0, b"ready\nchild\n")


def test_the_time_limit_holds_for_those_who_hold_the_output(workshop: Workshop) -> None:
    run = workshop.shell("sleep 100 & echo $!", timeout_seconds=_SOON)
    result = workshop.result_of(run)

    assert (result.ending, result.exit_code, is_gone(int(output_of(run)))) == (Ending.TIMED_OUT, 0, True)


def test_a_job_is_ended_at_its_time_limit(workshop: Workshop) -> None:
    run = workshop.start("sleep", "100", timeout_seconds=_SOON)
    result = workshop.result_of(run)

    assert (result.ending, result.signal) == (Ending.TIMED_OUT, signal.SIGTERM)
    assert result.ended_mono - result.started_mono >= _SOON


def test_the_time_limit_goes_on_while_the_job_is_stopped(workshop: Workshop) -> None:
    run = workshop.shell("kill -STOP $$", timeout_seconds=_SOON)

    assert workshop.result_of(run).ending is Ending.TIMED_OUT


def test_a_daemon_that_closed_its_output_is_left_alone_and_counted(workshop: Workshop) -> None:
    run = workshop.shell("setsid sleep 100 < /dev/null > /dev/null 2>&1 & echo $!")
    result = workshop.result_of(run)
    daemon = int(output_of(run))
    was_gone = is_gone(daemon)
    os.kill(daemon, signal.SIGKILL)

    assert (result.ending, result.left_behind, was_gone) == (Ending.EXITED, 1, False)


def test_a_fenced_run_ends_before_the_lease_does(workshop: Workshop) -> None:
    lease = monotonic() + _MARGIN + _LATER
    workshop.spool.renew_lease(lease)
    run = workshop.shell("trap '' TERM; while :; do sleep 0.01; done", fenced=True)
    result = workshop.result_of(run)

    assert result.ending is Ending.FENCED
    assert result.ended_mono < lease


def test_a_fenced_run_goes_on_while_the_lease_is_renewed(workshop: Workshop) -> None:
    workshop.spool.renew_lease(monotonic() + _MARGIN + _LATER)
    run = workshop.start("sleep", str(_LATER), fenced=True)
    workshop.spool.renew_lease(monotonic() + 1000)

    assert workshop.result_of(run).ending is Ending.EXITED


def test_a_fenced_run_does_not_start_without_a_lease(workshop: Workshop) -> None:
    result, output = workshop.ended("echo", "started", fenced=True)

    assert (result.ending, result.exit_code, output) == (Ending.FENCED, None, b"")


def test_other_runs_do_not_ask_for_the_lease(workshop: Workshop) -> None:
    workshop.spool.renew_lease(monotonic() - 1000)
    result, _ = workshop.ended("/bin/true")

    assert result.ending is Ending.EXITED


def test_a_supervisor_that_was_stopped_goes_on(workshop: Workshop) -> None:
    run = workshop.shell("echo ready; kill -STOP $PPID; echo after; kill -CONT $PPID; echo end")

    assert (workshop.result_of(run).ending, output_of(run)) == (Ending.EXITED, b"ready\nafter\nend\n")
