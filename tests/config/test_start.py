"""Servers that start, and those that do not because another one has started."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import requests
import trustme

from tests.config.conftest import Run
from tests.support.server import API, CoalMine

LOCAL = "[wsgi]\nhost = 127.0.0.1\n"


def test_a_second_server_on_the_same_file_is_refused(server: CoalMine, run: Run) -> None:
    path = server.directory / "state" / "coal-mine" / "coal-mine.sqlite3"
    fault = run("--port", "0", environ={"XDG_STATE_HOME": str(server.directory / "state")}).fault

    assert fault == f"{path} is in use by another coal-mine server (process {server.pid}); only one may open it"


def test_a_refused_second_server_does_not_disturb_the_first(server: CoalMine, run: Run) -> None:
    run("--port", "0", environ={"XDG_STATE_HOME": str(server.directory / "state")})

    assert server.call("list", search="^$")["status"] == "ok"


def test_a_port_in_use_is_refused(server: CoalMine, run: Run) -> None:
    port = server.url.rpartition(":")[2]

    assert run("--port", port).fault == f"cannot listen on 127.0.0.1:{port}: Address already in use"


def test_the_log_says_what_is_served_from_where(server: CoalMine) -> None:
    lines = server.log.splitlines()[:6]

    assert lines[1].endswith(f"store: SQLite, in {server.directory}/state/coal-mine/coal-mine.sqlite3")
    assert lines[4].endswith(f"listening on {server.url} for this machine only")
    assert lines[5].endswith(f"job calls need the key in {server.directory}/state/coal-mine/key")


def test_the_state_directory_is_for_its_owner_alone(server: CoalMine) -> None:
    mode = (server.directory / "state" / "coal-mine").stat().st_mode

    assert stat.S_IMODE(mode) == 0o700


def test_the_database_is_for_its_owner_alone(tmp_path: Path) -> None:
    with CoalMine(tmp_path, ini=f"{LOCAL}[sqlite]\npath = cm.sqlite3\n"):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("cm.sqlite3*")}

    assert set(modes.values()) == {0o600}
    assert "cm.sqlite3" in modes


def test_a_configured_server_without_a_key_warns(tmp_path: Path) -> None:
    with CoalMine(tmp_path, ini=LOCAL) as server:
        warnings = [line for line in server.log.splitlines() if " WARNING " in line]

    assert len(warnings) == 1
    assert "NO KEY IS SET" in warnings[0]


def test_the_host_may_be_a_name_of_this_machine(tmp_path: Path) -> None:
    with CoalMine(tmp_path, ini="[wsgi]\nhost = localhost\n") as server:
        status = server.get("/health").status_code

    assert status == 200


def test_canaries_survive_a_restart(tmp_path: Path) -> None:
    with CoalMine(tmp_path) as server:
        before = server.call("create", name="Survivor", periodicity=3600)
    with CoalMine(tmp_path) as server:
        assert server.call("get", name="Survivor") == before


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certified(authority: trustme.CA, tmp_path: Path) -> str:
    """A [wsgi] section with a certificate for 127.0.0.1, whose files lie in tmp_path."""
    certificate = authority.issue_cert("127.0.0.1")
    (tmp_path / "certificate.pem").write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    return f"{LOCAL}tls_certificate = {tmp_path}/certificate.pem\ntls_key = {tmp_path}/key.pem\n"


def test_a_certificate_makes_it_https(authority: trustme.CA, certified: str, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    with CoalMine(tmp_path, ini=certified) as server:
        answer = requests.get(f"{server.url}{API}/list", verify=str(tmp_path / "authority.pem"))

    assert server.url.startswith("https://")
    assert answer.json() == {"status": "ok", "canaries": []}


def test_another_certificates_key_is_refused(authority: trustme.CA, certified: str, tmp_path: Path, check: Run) -> None:
    authority.issue_cert("127.0.0.1").private_key_pem.write_to_path(tmp_path / "key.pem")
    fault = check(ini=certified).fault

    assert fault == "coal-mine.ini: [wsgi] tls_certificate: cannot be used together with tls_key: key values mismatch"
