"""The log: its file, its rotation, and what never stands in it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.server import API, CoalMine
from tests.support.waiting import until

KEY = "s3cret-key"
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ \S+ .+")


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    with CoalMine(tmp_path_factory.mktemp("keyed"), ini=f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n") as running:
        yield running


def calls_with(server: CoalMine, key: str) -> Iterator[requests.Response]:
    """In every form in which a key can be given, to calls that succeed and to calls that fail."""
    for path in ("/list", "/get?id=aaaaaaaa", "/create?periodicity=0&name=x", "/bogus", "/trigger?id=aaaaaaaa", "/list?bogus=1"):
        url = server.url + API + path
        yield requests.get(url, {"auth_key": key})
        yield requests.post(url, {"auth_key": key})
        yield requests.post(url, json={"auth_key": key})
        yield requests.put(url, params={"auth_key": key})
        yield requests.get(url, headers={"X-Auth-Token": key})
        yield requests.get(url, headers={"Authorization": f"Bearer {key}"})
        yield requests.get(url, headers={"Authorization": "Basic " + base64.b64encode(f"user:{key}".encode()).decode()})
        yield requests.get(url, headers={"Authorization": key})
        yield requests.get(url, headers={"Cookie": f"auth_key={key}", "Referer": f"{url}?auth_key={key}"})
    yield requests.get(f"{server.url}/{key}")


@pytest.mark.parametrize("key", [KEY, f"{KEY}-but-wrong"])
def test_a_key_stands_in_no_line_of_the_log(keyed: CoalMine, key: str) -> None:
    statuses = {answer.status_code for answer in calls_with(keyed, key)}

    assert statuses >= {400, 401, 404, 405}
    assert KEY not in keyed.log
    assert base64.b64encode(f"user:{key}".encode()).decode() not in keyed.log


def test_calls_leave_no_line_in_the_log(keyed: CoalMine) -> None:
    before = keyed.log
    statuses = [keyed.get(path).status_code for path in (f"{API}/list", "/aaaaaaaa", "/nothing", f"{API}/trigger?bogus=1")]

    assert statuses == [401, 404, 404, 400]
    assert keyed.log == before


def test_the_log_goes_to_the_file_that_is_named(tmp_path: Path) -> None:
    with CoalMine(tmp_path, ini=f"[logging]\nfile = {tmp_path}/server.log\n[wsgi]\nhost = 127.0.0.1\n") as server:
        lines = server.log.splitlines()

    assert all(LINE.fullmatch(line) for line in lines)
    assert lines[0].endswith("configured by coal-mine.ini")


def test_a_large_log_is_rotated_and_the_oldest_go(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    logging = f"[logging]\nfile = {logs}/cm.log\nrotate = true\nmax_size = 1000\nbackup_count = 2\n"
    (tmp_path / "server.log").touch()
    with _RotatingCoalMine(tmp_path, ini=f"{logging}[wsgi]\nhost = 127.0.0.1\n") as server:
        for number in range(20):
            server.call("create", name=f"Late {number}", periodicity=0.001, email=f"{number}@example.test")
        until("a second old log", lambda: (logs / "cm.log.2").exists())
        until("the last alert in the logs", lambda: "19@example.test" in "".join(file.read_text() for file in logs.glob("cm.log*")))

    assert sorted(file.name for file in logs.glob("cm.log*")) == ["cm.log", "cm.log.1", "cm.log.2"]
    assert all(file.stat().st_size < 2_000 for file in logs.glob("cm.log*"))


class _RotatingCoalMine(CoalMine):
    """Finds its address in the file that is rotated."""

    @property
    def log(self) -> str:
        return "".join(file.read_text() for file in sorted((self.directory / "logs").glob("cm.log*"), reverse=True))

    def _find_url(self, begin: int) -> bool:
        found = re.search(r"listening on (http://\S+)", self.log)
        self.url = found[1] if found else ""
        return bool(found)
