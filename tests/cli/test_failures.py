"""What goes wrong is one line on standard error and an exit status: 1 when the server or the way to it failed, 2 for wrong usage."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest

from coal_mine.cli.connection import Connection, Unreachable
from coal_mine.cli.settings import Server
from tests.cli.command import LIMIT_SECONDS, Cmcli
from tests.cli.stranger import Answer, Stranger
from tests.support.server import CoalMine


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port at which nobody listens, and at which nobody can begin to."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_a_refusal_is_the_servers_text(cmcli: Cmcli) -> None:
    outcome = cmcli("get", "--id", "abcdefgh")

    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith("cmcli: ")
    assert "abcdefgh" in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["create", "--name", "Job", "--periodicity", "-5"], "periodicity"),
        (["create", "--name", "job", "--periodicity", "5"], "exists"),
        (["create", "--name", "x", "--schedule", "61 * * * *"], "schedule"),
        (["update", "--slug", "job"], "update"),
        (["update", "--name", "nobody", "--periodicity", "5"], "nobody"),
        (["unpause", "--slug", "job"], "not paused"),
        (["list", "--search", "("], "search"),
    ],
)
def test_the_server_says_what_is_wrong(server: CoalMine, cmcli: Cmcli, arguments: list[str], reason: str) -> None:
    server.call("create", name="Job", periodicity=60)

    outcome = cmcli(*arguments)

    assert outcome.status == 1
    assert reason in outcome.err
    assert outcome.err.count("\n") == 1


def test_text_that_is_no_utf8_is_refused_by_the_server(cmcli: Cmcli) -> None:
    outcome = cmcli("create", "--periodicity", "5", b"--name=caf\xe9")

    assert outcome.status == 1
    assert "UTF-8" in outcome.err


def test_a_server_that_does_not_run_is_named_with_advice(unconfigured: Cmcli, closed_port: int) -> None:
    outcome = unconfigured("list", "--host", "127.0.0.1", "--port", str(closed_port))

    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        f"cmcli: cannot reach Coal Mine at http://127.0.0.1:{closed_port}: Connection refused; "
        "check that it runs there, or name another server with --host and --port\n"
    )


def test_a_host_that_does_not_exist_is_named(unconfigured: Cmcli) -> None:
    outcome = unconfigured("list", "--host", "nowhere.invalid")

    assert outcome.status == 1
    assert outcome.err.startswith("cmcli: cannot reach Coal Mine at http://nowhere.invalid: ")
    assert outcome.err.count("\n") == 1


def test_https_to_a_server_without_it_is_one_line(unconfigured: Cmcli, server: CoalMine) -> None:
    outcome = unconfigured("list", "--host", server.url.replace("http", "https"))

    assert outcome.status == 1
    assert "cannot reach Coal Mine at https://" in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = Connection(Server(url=f"http://127.0.0.1:{silent.getsockname()[1]}", auth_key=None), timeout_seconds=0.05)

        with pytest.raises(Unreachable, match="whether it did what you asked for is not known"):
            connection.ask("list", {})


def _heed_interruptions() -> None:
    """Whoever runs the tests in the background of a script has switched SIGINT off for all that they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interruption_is_silent(unconfigured: Cmcli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with unconfigured.start("list", "--host", url, stderr=subprocess.PIPE, preexec_fn=_heed_interruptions) as process:
            caller, _ = silent.accept()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=LIMIT_SECONDS)
        caller.close()

    assert (process.returncode, err) == (130, b"")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"<html>Bad Gateway</html>", status=502),
        Answer(b"<html>Welcome</html>"),
        Answer(b"[1]"),
        Answer(b'{"status": "fine"}'),
    ],
)
def test_an_answer_that_is_not_coal_mines_is_said_so(unconfigured: Cmcli, stranger: Stranger, answer: Answer) -> None:
    stranger.answer = lambda _: answer

    outcome = unconfigured("list", "--host", stranger.url)

    assert (outcome.status, outcome.out) == (1, "")
    assert f"{stranger.url} answered {answer.status} " in outcome.err
    assert "check --host and --port" in outcome.err


def test_a_servers_text_stays_on_one_line(unconfigured: Cmcli, stranger: Stranger) -> None:
    stranger.answer = lambda _: Answer(b'{"status": "error", "error": "a\\nb\\u001b[2J"}', status=503)

    assert unconfigured("list", "--host", stranger.url).err == "cmcli: a b [2J\n"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ([], "Usage: cmcli"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["get"], "Missing option --name or --slug or --id"),
        (["get", "--id", "a", "--slug", "b"], "Give exactly one of"),
        (["update"], "Missing option"),
        (["update", "--id", "a", "--slug", "b", "--name", "c"], "Give exactly one of --id or --slug"),
        (["create", "--name", "x"], "Missing option --periodicity or --schedule"),
        (["create", "--periodicity", "5"], "Missing option '--name'"),
        (["create", "--name", "x", "--periodicity", "5", "--schedule", "@daily"], "Give exactly one of"),
        (["list", "--port", "http"], "Invalid value for '--port'"),
        (["list", "--auth-key", "k", "--no-auth-key"], "exclude each other"),
        (["--auth-key", "k", "list", "--no-auth-key"], "exclude each other"),
        (["list", "--bogus"], "No such option"),
        (["list", "--host", "ftp://x"], "is not a host name"),
    ],
)
def test_wrong_usage_is_explained(unconfigured: Cmcli, arguments: list[str], hint: str) -> None:
    outcome = unconfigured(*arguments)

    assert (outcome.status, outcome.out) == (2, "")
    assert hint in outcome.err


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [["list", "--verbose"], ["--help"]])
def test_a_reader_that_goes_away_is_no_error(server: CoalMine, cmcli: Cmcli, command: list[str], unbuffered: str) -> None:
    server.call("create", name="Job", periodicity=60, description="x" * 5_000)
    environment = {"PYTHONUNBUFFERED": unbuffered}

    with cmcli.start(*command, environment=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        err = process.stderr.read()
        status = process.wait(LIMIT_SECONDS)

    assert (status, err) == (0, b"")


def test_a_full_disk_is_one_line(server: CoalMine, cmcli: Cmcli) -> None:
    with open("/dev/full", "wb") as full, cmcli.start("list", stdout=full, stderr=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=LIMIT_SECONDS)

    assert (process.returncode, err) == (1, b"cmcli: [Errno 28] No space left on device\n")


def test_a_closed_output_is_no_error(server: CoalMine, cmcli: Cmcli) -> None:
    with cmcli.start("list", stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1)) as process:
        _, err = process.communicate(timeout=LIMIT_SECONDS)

    assert (process.returncode, err) == (0, b"")
