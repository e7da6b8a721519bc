"""Running jobs with cmcli: their output, their exit status, and what becomes of a run when cmcli or the network ends."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import LIMIT_SECONDS, Cmcli
from tests.cli.jobs.conftest import Call, key_file
from tests.cli.jobs.relay import Relay
from tests.support.server import CoalMine
from tests.support.waiting import until

# What no text is: NUL, broken UTF-8, no line end.
ODD_BYTES = b"a\x00b\xff\r\n\x1b[0m end"


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A job that runs `AT_THE_GATE` waits until this file exists."""
    return tmp_path / "gate"


@pytest.fixture(scope="module")
def written(call: Call, written_by: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run that has written four lines, the third of them on standard error, and each when the one before had been read."""
    gates = tmp_path_factory.mktemp("gates")
    lines = ["echo 1", "echo 2", "echo 3 >&2", "echo 4"]
    command = "; ".join(f"until test -e {gates}/{number}; do sleep 0.02; done; {line}" for number, line in enumerate(lines))
    call("POST", "jobs", {"name": "Written", "id": "written", "command": command})
    run_id = call("POST", "jobs/written/run", {"key": "written"})["id"]
    for number in range(len(lines)):
        (gates / str(number)).touch()
        until("the next line", lambda number=number: written_by(run_id).endswith(f"{number + 1}\n"))
    ended = until("the end of the run", lambda: (run := call("GET", f"runs/{run_id}"))["ended_at"] and run)
    call("DELETE", "jobs/written")
    return ended


def at_the_gate(gate: Path, then: str = "true") -> str:
    return f"echo ready; while ! test -e {gate}; do sleep 0.02; done; {then}"


def begun(cmcli: Cmcli, job_id: str, **how: Any) -> subprocess.Popen[bytes]:
    """`job run --wait`, with the first line of the job's output read."""
    process = cmcli.start("job", "run", job_id, "--wait", stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"

    return process


def test_run_prints_the_run(cmcli: Cmcli, job: Call) -> None:
    job_id = job("true")

    run = cmcli("job", "run", job_id).json

    assert (run["job"], run["origin"]) == (job_id, "manual")


def test_each_stream_arrives_byte_for_byte(cmcli: Cmcli, job: Call, tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(ODD_BYTES)
    job_id = job(f"cat {tmp_path}/odd; echo trouble >&2")

    with cmcli.start("job", "run", job_id, "--wait", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=LIMIT_SECONDS)

    assert (process.returncode, out, err) == (0, ODD_BYTES, b"trouble\n")


def test_streams_that_go_to_one_file_keep_their_order(cmcli: Cmcli, job: Call, written: Any) -> None:
    # The key of the run that has ended already: it is followed from its beginning.
    arguments = ["job", "run", job("true", id=written["job"]), "--key", "written", "--wait"]

    with cmcli.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        out, _ = process.communicate(timeout=LIMIT_SECONDS)

    assert out == b"1\n2\n3\n4\n"


@pytest.mark.parametrize(
    ("command", "fields", "status", "words"),
    [
        ("exit 3", {}, 3, "has failed: exit status 3"),
        ("kill -USR1 $$", {}, 128 + signal.SIGUSR1, "has failed"),
        ("sleep 100", {"timeout": 0.2, "kill_wait": 0}, 124, "has failed"),
        ("true", {"workdir": "/no/such/place"}, 1, "has failed"),
    ],
    ids=["exit status", "signal", "timeout", "not started"],
)
def test_the_exit_status_is_the_jobs(cmcli: Cmcli, job: Call, command: str, fields: Any, status: int, words: str) -> None:
    outcome = cmcli("job", "run", job(command, **fields), "--wait")

    assert (outcome.status, outcome.out) == (status, "")
    assert words in outcome.err


def test_a_run_that_is_skipped_has_failed(cmcli: Cmcli, call: Call, job: Call, gate: Path) -> None:
    job_id = job(at_the_gate(gate))
    first = begun(cmcli, job_id)

    outcome = cmcli("job", "run", job_id, "--wait")
    gate.touch()
    first.communicate(timeout=LIMIT_SECONDS)

    assert (outcome.status, outcome.out) == (1, "")
    assert "was skipped: an earlier run is still under way" in outcome.err


def test_quiet_says_nothing_of_its_own(cmcli: Cmcli, job: Call) -> None:
    outcome = cmcli("job", "run", job("echo out; exit 3"), "--wait", "--quiet")

    assert (outcome.status, outcome.out, outcome.err) == (3, "out\n", "")


def test_all_attempts_are_shown(cmcli: Cmcli, job: Call, tmp_path: Path) -> None:
    job_id = job(f"echo again; mkdir {tmp_path}/made && exit 1 || exit 0", retries={"max": 1, "wait": 0})

    outcome = cmcli("job", "run", job_id, "--wait")

    assert (outcome.status, outcome.out) == (0, "again\nagain\n")
    assert "attempt 1 has failed, attempt 2 begins" in outcome.err


def test_output_comes_while_the_job_runs(cmcli: Cmcli, job: Call, gate: Path) -> None:
    process = begun(cmcli, job(at_the_gate(gate, "echo more")))
    gate.touch()  # only now can the job end
    out, _ = process.communicate(timeout=LIMIT_SECONDS)

    assert (process.returncode, out) == (0, b"more\n")


def test_ctrl_c_leaves_the_run_alone_and_says_how_to_end_it(cmcli: Cmcli, call: Call, job: Call, gate: Path) -> None:
    job_id = job(at_the_gate(gate))
    process = begun(cmcli, job_id)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=LIMIT_SECONDS)
    (run,) = call("GET", f"runs?job={job_id}")["runs"]
    gate.touch()

    assert process.returncode == 130
    assert err.decode() == f"cmcli: run {run['id']} goes on; to end it: cmcli run kill '{run['id']}'\n"
    assert run["ended_at"] is None


def test_a_broken_connection_is_tried_again(running: CoalMine, cmcli: Cmcli, job: Call, gate: Path) -> None:
    with Relay(running.url) as relay:
        environment = {"COAL_MINE_HOST": relay.url, "COAL_MINE_AUTH_KEY": key_file(running).read_text().strip()}
        process = begun(cmcli, job(at_the_gate(gate, "echo more; exit 5")), environment=environment)
        relay.cut()
        assert process.stderr is not None
        complaint = process.stderr.readline()
        gate.touch()
        relay.mend()
        out, err = process.communicate(timeout=LIMIT_SECONDS)

    assert b"trying again every second" in complaint
    assert err.startswith(b"cmcli: the server answers again\n")
    assert (process.returncode, out) == (5, b"more\n")


def test_parameters_reach_the_command(cmcli: Cmcli, job: Call) -> None:
    job_id = job('echo "$SIZE"', parameters=[{"name": "SIZE", "default": "small"}])

    assert cmcli("job", "run", job_id, "--wait", "--param", "SIZE=a b=c").out == "a b=c\n"


def test_the_same_key_starts_nothing_more(cmcli: Cmcli, job: Call) -> None:
    job_id = job("true")

    first, second = (cmcli("job", "run", job_id, "--key", "deploy 7").json["id"] for _ in range(2))

    assert first == second


def test_in_mode_all_every_node_is_waited_for(cmcli: Cmcli, job: Call) -> None:
    outcome = cmcli("job", "run", job("echo here; exit 4", mode="all"), "--wait")

    assert (outcome.status, outcome.out) == (4, "here\n")


def test_force_runs_beside_an_earlier_run(cmcli: Cmcli, job: Call, tmp_path: Path) -> None:
    both = f"mkdir {tmp_path}/first || touch {tmp_path}/second; echo ready; while ! test -e {tmp_path}/second; do sleep 0.02; done"
    job_id = job(both)
    first = begun(cmcli, job_id)

    assert cmcli("job", "run", job_id, "--wait", "--force").status == 0

    first.communicate(timeout=LIMIT_SECONDS)

    assert first.returncode == 0


def test_kill_ends_the_run_with_all_its_processes(cmcli: Cmcli, call: Call, job: Call, gate: Path) -> None:
    job_id = job(at_the_gate(gate))
    process = begun(cmcli, job_id)
    (run,) = call("GET", f"runs?job={job_id}")["runs"]

    killed = cmcli("run", "kill", run["id"], "--wait").json
    _, err = process.communicate(timeout=LIMIT_SECONDS)

    assert killed["state"] == "killed"
    assert process.returncode != 0
    assert b"was killed" in err


def test_a_signal_reaches_the_command(cmcli: Cmcli, call: Call, job: Call, gate: Path) -> None:
    job_id = job(f"trap 'exit 9' USR1; {at_the_gate(gate)}")
    process = begun(cmcli, job_id)
    (run,) = until("a running run", lambda: call("GET", f"runs?job={job_id}&state=running")["runs"])

    assert cmcli("run", "signal", run["id"], "USR1").status == 0

    process.communicate(timeout=LIMIT_SECONDS)

    assert process.returncode == 9


def test_a_run_that_has_ended_cannot_be_killed(cmcli: Cmcli, call: Call, job: Call) -> None:
    run = _ended(call, job("true"))

    outcome = cmcli("run", "kill", run["id"])

    assert (outcome.status, outcome.err) == (1, f"cmcli: run {run['id']} has ended already: done\n")


def test_run_wait_ends_as_the_run_does(cmcli: Cmcli, call: Call, job: Call) -> None:
    run = _ended(call, job("echo out; exit 6"))

    outcome = cmcli("run", "wait", run["id"])

    assert (outcome.status, outcome.out) == (6, "")


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], "1\n2\n3\n4\n"),
        (["--stream", "stdout"], "1\n2\n4\n"),
        (["--stream", "stderr"], "3\n"),
        (["--lines", "2"], "3\n4\n"),
        (["--follow", "--lines", "1"], "4\n"),
        (["--attempt", "1"], "1\n2\n3\n4\n"),
    ],
)
def test_output_shows_what_was_written(cmcli: Cmcli, written: Any, options: list[str], shown: str) -> None:
    outcome = cmcli("run", "output", written["id"], *options)

    assert (outcome.status, outcome.out, outcome.err) == (0, shown, "")


def test_an_attempt_that_never_was_is_one_line(cmcli: Cmcli, call: Call, job: Call) -> None:
    run = _ended(call, job("true"))

    outcome = cmcli("run", "output", run["id"], "--attempt", "2")

    assert (outcome.status, outcome.err) == (1, f"cmcli: run {run['id']} has no attempt 2; it has had 1\n")


def test_runs_are_listed_by_job_and_state(cmcli: Cmcli, call: Call, job: Call) -> None:
    _ended(call, job("true"))
    failed = _ended(call, job("false", name="The Failing One"))

    runs = cmcli("run", "list", "--job", "The Failing One", "--state", "failed", "--state", "lost").json["runs"]

    assert [run["id"] for run in runs] == [failed["id"]]


def test_runs_of_a_deleted_job_are_found_by_its_id(cmcli: Cmcli, call: Call, job: Call) -> None:
    run = _ended(call, job("true"))
    call("DELETE", f"jobs/{run['job']}")

    assert [found["id"] for found in cmcli("run", "list", "--job", run["job"]).json["runs"]] == [run["id"]]


def _ended(call: Call, job_id: str) -> Any:
    run_id = call("POST", f"jobs/{job_id}/run", {})["id"]
    return until("the end of the run", lambda: (run := call("GET", f"runs/{run_id}"))["ended_at"] and run)
