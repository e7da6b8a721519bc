"""The file with Moneta's configuration, written by whoever watches the store, whoever changes it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.cli.jobs.within import CmcliWithin
from tests.stores.conftest import database_of
from tests.support.background import Background
from tests.support.mongod import Mongod
from tests.support.server import CoalMine
from tests.support.waiting import PATIENCE, until

KEY = "right-key-5150"
TASK = {"name": "Häufig", "command": "true", "schedules": [{"minute": ["*/5"]}], "tags": [], "pools": ["nowhere"], "own": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A server that takes calls, and the file that it, or two others, write. Tests share it, so each has tasks of its own."""

    server: CoalMine
    file: Path

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        answer = requests.request(method, self.server.url + path, json=body, headers={"X-Auth-Token": KEY}, timeout=PATIENCE)
        assert answer.ok, answer.text
        return answer

    def content(self) -> Any:
        """YAML reads JSON, too."""
        return yaml.safe_load(self.file.read_bytes()) if self.file.exists() else {"tasks": {}}


@pytest.fixture(scope="module", params=["sqlite", "mongodb"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("backup")
    file = directory / "moneta"
    common = f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n[moneta]\nbackup = {file}\n"
    make = _alone if request.param == "sqlite" else _several
    with make(request, directory, common) as server:
        yield Place(server=server, file=file)


@contextmanager
def _alone(_: pytest.FixtureRequest, directory: Path, common: str) -> Iterator[CoalMine]:
    with CoalMine(directory / "server", ini=common) as server:
        yield server


@contextmanager
def _several(request: pytest.FixtureRequest, directory: Path, common: str) -> Iterator[CoalMine]:
    """One that only takes calls, and two that write."""
    mongod: Mongod = request.getfixturevalue("mongod")
    with database_of(mongod) as database, ExitStack() as stack:
        ini = f"{common}backup_format = yaml\n[mongodb]\nhosts = {mongod.uri}\ndatabase = {database.name}\n"
        for number in range(2):
            stack.enter_context(Background(directory / f"background-{number}", ini=ini))
        yield stack.enter_context(CoalMine(directory / "web", "--web", ini=ini))


def test_a_task_is_in_the_file_as_it_was_given(place: Place) -> None:
    place.call("PUT", "/tasks/given", TASK)

    assert until("the task in the file", lambda: place.content()["tasks"].get("given")) == TASK


def test_a_task_that_is_deleted_leaves_the_file(place: Place) -> None:
    place.call("PUT", "/tasks/deleted", TASK)
    until("the task in the file", lambda: "deleted" in place.content()["tasks"])
    place.call("DELETE", "/tasks/deleted")
    until("the file without the task", lambda: "deleted" not in place.content()["tasks"])


def test_a_change_by_the_native_api_is_in_the_file(place: Place) -> None:
    place.call("PUT", "/tasks/native", TASK)
    place.call("PATCH", "/coal-mine/v1/jobs/native", {"command": "false"})
    until("the change in the file", lambda: place.content()["tasks"].get("native", {}).get("command") == "false")


def test_options_are_in_the_file(place: Place) -> None:
    place.call("PUT", "/cluster/config/tick", 45)
    until("the option in the file", lambda: place.content().get("tick") == 45)

    assert set(place.content()) == {"tasks", "tick", "mailer", "audit"}


def test_only_the_owner_can_read_the_file(place: Place) -> None:
    place.call("PUT", "/tasks/secret", TASK)
    until("the file", place.file.exists)

    assert place.file.stat().st_mode & 0o777 == 0o600


def test_the_file_brings_back_all_that_was_lost(place: Place, tmp_path: Path) -> None:
    place.call("PUT", "/tasks/back", TASK)
    place.call("PUT", "/cluster/config/mailer", {"smtpserver": "mail:25", "sender": "m@example.com", "timezone": "Europe/Paris"})
    wanted = place.call("GET", "/tasks").json()
    until("all in the file", lambda: place.content()["tasks"] == wanted and place.content()["mailer"]["smtpserver"])
    with CoalMine(tmp_path / "new", ini=f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n") as new:
        cmcli = CmcliWithin(tmp_path, COAL_MINE_HOST=new.url, COAL_MINE_AUTH_KEY=KEY)
        done = cmcli("import", "moneta", str(place.file))
        there = Place(server=new, file=place.file)

        assert (done.status, done.err) == (0, "")
        assert there.call("GET", "/tasks").json() == wanted
        assert there.call("GET", "/cluster/config/mailer").json() == place.call("GET", "/cluster/config/mailer").json()


# Replaces the file with one content and then the other for ever, and says so each time.
WRITER = """
import sys
from pathlib import Path
from coal_mine.background.backup_file import BackupFile, as_json

file = BackupFile(Path(sys.argv[1]))
contents = [as_json({"tasks": {"one": {"name": letter * 2_000_000}}}) for letter in "ab"]
while True:
    for content in contents:
        file.replace(content)
        print("written", flush=True)
"""


def test_whoever_dies_while_writing_leaves_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "moneta.json"
    for number in range(8):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(number + 1):
                writer.stdout.readline()
            writer.kill()

        assert set(json.loads(file.read_bytes())["tasks"]["one"]["name"]) in ({"a"}, {"b"})


def test_a_directory_that_is_away_stops_nothing(tmp_path: Path) -> None:
    away = tmp_path / "away"
    with CoalMine(
        tmp_path / "server", ini=f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n[moneta]\nbackup = {away}/moneta.json\n"
    ) as server:
        until(
            "the complaint", lambda: f"THE CONFIGURATION CANNOT BE WRITTEN to {away}/moneta.json: No such file or directory" in server.log
        )
        away.mkdir()
        until("the file", (away / "moneta.json").exists)
        status = server.get("/health").json()["status"]

    assert status == "ok"
