"""Whoever waits for a run that nothing can start is told so at once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.cli.command import LIMIT_SECONDS, Cmcli
from tests.cli.jobs.conftest import Call
from tests.support.waiting import until

WARNING = "cmcli: warning: no node serves the pool nowhere: no run can start until one does\n"


@pytest.fixture
def stuck(job: Call) -> str:
    """A job that no node can run."""
    job_id: str = job("true", pools=["nowhere"])
    return job_id


def waiting_run(call: Call, job_id: str) -> Any:
    (run,) = until("the run", lambda: call("GET", f"runs?job={job_id}&state=queued")["runs"])
    return run


@contextmanager
def started(cmcli: Cmcli, call: Call, job_id: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """At the end somebody ends what it waits for."""
    with cmcli.start(*arguments, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            call("POST", f"runs/{waiting_run(call, job_id)['id']}/kill")
            process.wait(LIMIT_SECONDS)


def first_line(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr is not None
    return process.stderr.readline().decode()


def test_the_warnings_of_the_job_are_told_when_waiting_begins(cmcli: Cmcli, call: Call, stuck: str) -> None:
    with started(cmcli, call, stuck, "job", "run", stuck, "--wait") as process:
        assert first_line(process) == WARNING


@pytest.mark.parametrize("arguments", [["wait"], ["output", "--follow"]])
def test_they_are_told_to_whoever_comes_later(cmcli: Cmcli, call: Call, stuck: str, arguments: list[str]) -> None:
    run = call("POST", f"jobs/{stuck}/run", {})

    with started(cmcli, call, stuck, "run", *arguments, run["id"]) as process:
        assert first_line(process) == WARNING


def test_they_are_not_told_to_whoever_wants_to_hear_nothing(cmcli: Cmcli, call: Call, stuck: str) -> None:
    with cmcli.start("job", "run", stuck, "--wait", "--quiet", stderr=subprocess.PIPE) as process:
        call("POST", f"runs/{waiting_run(call, stuck)['id']}/kill")
        _, err = process.communicate(timeout=LIMIT_SECONDS)

    assert (process.returncode, err) == (1, b"")
