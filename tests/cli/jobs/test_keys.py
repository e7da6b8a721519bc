"""The key that a server made for itself: who finds it, and to whom it is sent."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from coal_mine.cli.keys import url_of_server
from tests.cli.command import LIMIT_SECONDS, Cmcli
from tests.cli.jobs.conftest import key_file
from tests.cli.jobs.within import CmcliWithin
from tests.cli.stranger import Answer, Stranger
from tests.support.server import CoalMine

KEY = "the key of this machine"


@pytest.fixture
def local(home: Path, stranger: Stranger) -> Cmcli:
    """On a machine whose server has made a key; what listens in its place is a stranger."""
    directory = home / "state" / "coal-mine"
    directory.mkdir(parents=True)
    (directory / "key").write_text(f"{KEY}\n")
    (directory / "address").write_text(_address(stranger))
    stranger.answer = lambda _: Answer(b'{"status": "ok", "canaries": [], "jobs": [], "total": 0, "next": null}')
    return CmcliWithin(home, COAL_MINE_HOST=stranger.url, XDG_STATE_HOME=str(home / "state"))


def _address(stranger: Stranger) -> str:
    return "{0.hostname} {0.port}\n".format(urlsplit(stranger.url))


def _sent(stranger: Stranger) -> str | None:
    (seen,) = stranger.seen
    return seen.headers.get("X-Auth-Token")


def test_job_calls_send_the_key_that_the_server_has_made(local: Cmcli, stranger: Stranger) -> None:
    local("job", "list")

    assert _sent(stranger) == KEY


def test_canary_calls_do_not_send_it(local: Cmcli, stranger: Stranger) -> None:
    local("list")

    assert _sent(stranger) is None


def test_a_key_that_is_given_goes_first(local: Cmcli, stranger: Stranger) -> None:
    local("job", "list", "--auth-key", "mine")

    assert _sent(stranger) == "mine"


def test_no_key_is_sent_where_none_is_wanted(local: Cmcli, stranger: Stranger) -> None:
    local("job", "list", "--no-auth-key")

    assert _sent(stranger) is None


def test_the_configuration_says_where_the_key_is(local: Cmcli, stranger: Stranger, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "key").write_text("another key\n")
    (tmp_path / "elsewhere" / "address").write_text(_address(stranger))
    (local.home / "coal-mine.ini").write_text(f"[sqlite]\npath = {tmp_path}/elsewhere/mine.sqlite3\n")

    local("job", "list")

    assert _sent(stranger) == "another key"


def test_a_server_on_mongodb_has_made_no_key(local: Cmcli, stranger: Stranger) -> None:
    (local.home / "coal-mine.ini").write_text("[mongodb]\nhosts = mongodb://example.com/x\n")

    local("job", "list")

    assert _sent(stranger) is None


@pytest.mark.parametrize(("name", "text"), [("address", "127.0.0.1 1\n"), ("address", ""), ("key", "")])
def test_whoever_else_listens_on_this_machine_does_not_get_the_key(local: Cmcli, stranger: Stranger, name: str, text: str) -> None:
    (local.home / "state" / "coal-mine" / name).write_text(text)

    local("job", "list")

    assert _sent(stranger) is None


@pytest.mark.parametrize(
    ("url", "listens_on", "expected"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1 8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1", "127.0.0.1 80", "http://127.0.0.1"),
        ("http://127.0.0.1:8081", "127.0.0.1 8080", None),
        ("http://127.0.0.2:8080", "127.0.0.1 8080", None),
        ("http://127.0.0.2:8080", "0.0.0.0 8080", "http://127.0.0.2:8080"),
        ("http://[::1]:8080", "0.0.0.0 8080", None),
        ("http://[::1]:8080", "::1 8080", "http://[::1]:8080"),
        ("http://[::1]:8080", ":: 8080", "http://[::1]:8080"),
        ("http://localhost:8080", "0.0.0.0 8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "::1 8080", "http://[::1]:8080"),
        ("https://localhost", ":: 443", "https://localhost"),
        ("http://localhost:8080", "192.0.2.1 8080", None),
        ("http://192.0.2.1:8080", "192.0.2.1 8080", None),
        ("http://localhost.example.com", "0.0.0.0 80", None),
    ],
)
def test_a_url_is_that_of_this_machines_server_or_of_somebody_else(url: str, listens_on: str, expected: str | None) -> None:
    assert url_of_server(url, listens_on) == expected


def test_without_a_key_the_server_says_what_it_wants(running: CoalMine, unconfigured: Cmcli) -> None:
    outcome = unconfigured("job", "list", "--host", running.url, environment={"XDG_STATE_HOME": "/nowhere"})

    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.count("\n") == 1
    assert "cmcli: with --auth-key, or for good with cmcli configure" in outcome.err


@pytest.fixture
def hidden(local: Cmcli) -> Iterator[Path]:
    """The key file, in a directory that only its owner may enter; root is somebody else for it."""
    path = local.home / "state" / "coal-mine" / "key"
    path.parent.chmod(0o000)
    yield path
    path.parent.chmod(0o700)


def test_a_key_that_this_user_may_not_read_is_named_with_its_owner(local: Cmcli, hidden: Path) -> None:
    call = "from coal_mine.cli.keys import *\ntry:\n    server_for_jobs(Given())\nexcept Exception as error:\n    print(error)"
    # Root may read everything, so it is nobody who looks; he can import nothing from root's home, and so is let in afterwards.
    drop = "import os, coal_mine.cli.keys, coal_mine.config.loading, platformdirs\nif os.geteuid() == 0:\n    os.setuid(65534)\n"
    environment = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "XDG_STATE_HOME": str(local.home / "state")}

    done = subprocess.run(
        [sys.executable, "-c", drop + call], env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True
    )

    owner = pwd.getpwuid(os.geteuid()).pw_name
    assert done.stdout.startswith(f"the key of this machine's server is in {hidden}, which only {owner} can read;")


def test_the_key_file_is_the_one_that_the_server_has_made(running: CoalMine) -> None:
    assert key_file(running).stat().st_mode & 0o777 == 0o600
