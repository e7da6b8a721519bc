"""The key that a server on SQLite makes for job calls."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from coal_mine.config import address_path, key_path, load
from coal_mine.domain.errors import Invalid
from coal_mine.main.job_key import job_key, noted_address
from tests.config.conftest import Run
from tests.support.server import CoalMine


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    path = tmp_path / "coal-mine.ini"
    path.write_text(f"[sqlite]\npath = {tmp_path}/cm.sqlite3\n")
    return path


def test_the_key_is_made_once_and_stays(ini: Path) -> None:
    config = load(ini, {})

    assert len(job_key(config)) == 43
    assert job_key(config) == job_key(config)


def test_the_key_is_for_its_owner_alone(ini: Path, tmp_path: Path) -> None:
    key = job_key(load(ini, {}))

    assert (tmp_path / "key").read_text() == f"{key}\n"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_two_servers_have_different_keys(tmp_path: Path) -> None:
    keys = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}.ini").write_text(f"[sqlite]\npath = {tmp_path}/{name}/cm.sqlite3\n")
        keys.append(job_key(load(tmp_path / f"{name}.ini", {})))

    assert keys[0] != keys[1]


def test_a_configured_key_is_used_and_no_other_made(ini: Path, tmp_path: Path) -> None:
    ini.write_text(f"{ini.read_text()}[wsgi]\nauth_key = mine\n")

    assert job_key(load(ini, {})) == "mine"
    assert not (tmp_path / "key").exists()


def test_on_mongodb_none_is_made(tmp_path: Path) -> None:
    path = tmp_path / "coal-mine.ini"
    path.write_text("[mongodb]\nhosts = mongodb://127.0.0.1:1/x\n")

    assert job_key(load(path, {})) == ""


def test_a_key_that_others_may_read_is_refused(ini: Path, tmp_path: Path) -> None:
    job_key(load(ini, {}))
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(Invalid, match="others may read the key; remove the file for a new one, or run chmod 600 on it"):
        job_key(load(ini, {}))


def test_a_file_of_somebody_else_is_not_taken_for_a_key(ini: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(Invalid, match="this is no key that Coal Mine has made"):
        job_key(load(ini, {}))


def test_the_server_writes_down_where_it_listens(server: CoalMine) -> None:
    address = server.directory / "state" / "coal-mine" / "address"

    assert server.url == "http://{}:{}".format(*address.read_text().split())


def test_a_server_that_ends_takes_back_where_it_listens(tmp_path: Path) -> None:
    with CoalMine(tmp_path) as server:
        address = server.directory / "state" / "coal-mine" / "address"
        was_there = address.exists()
        server.stop()

        assert (was_there, address.exists()) == (True, False)


def test_an_address_that_is_another_servers_by_then_stays(ini: Path) -> None:
    config = load(ini, {})
    address = address_path(config.sqlite_path)
    with noted_address(config):
        address.write_text("127.0.0.1 4711\n")

    assert address.read_text() == "127.0.0.1 4711\n"


def test_a_start_with_a_bad_key_ends_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state" / "coal-mine").mkdir(parents=True)
    (tmp_path / "state" / "coal-mine" / "key").write_text("short")

    assert run("--port", "0").fault.startswith(f"{tmp_path}/state/coal-mine/key: this is no key that Coal Mine has made")


def test_the_key_lies_beside_the_database(server: CoalMine) -> None:
    database = server.directory / "state" / "coal-mine" / "coal-mine.sqlite3"

    assert key_path(database).exists()
