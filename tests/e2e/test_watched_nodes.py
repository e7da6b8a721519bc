"""A node is killed, comes back, or ends cleanly, and operators hear what they must. Real processes, a real MongoDB, real mail.

Nobody waits for a lease here: what a dead node wrote last is made to look older, as if its time had come.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from pymongo.database import Database

from tests.stores.conftest import database_of
from tests.support.mail import MailServer
from tests.support.mongod import Mongod
from tests.support.nodes import NodeProcess
from tests.support.server import CoalMine
from tests.support.settings import shared_settings
from tests.support.waiting import PATIENCE, until

KEY = "k"
OPERATOR = "ops@example.test"
A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Place:
    """A database, with a process for HTTP that has been in contact with it for long enough to judge."""

    database: Database[dict[str, Any]]
    ini: str
    mail: MailServer
    web: CoalMine

    def run_for_long(self) -> None:
        """On whatever node there is."""
        job = self._post("jobs", {"name": "Long", "command": "exec sleep 600"})
        self._post(f"jobs/{job['id']}/run", {})

    def _post(self, path: str, body: object) -> Any:
        url = f"{self.web.url}/coal-mine/v1/{path}"
        answer = requests.post(url, json=body, headers={"X-Auth-Token": KEY}, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def make_old(self, name: str) -> None:
        (found,) = self.database["nodes"].find({"_id": name})
        self.database["nodes"].update_one({"_id": name}, {"$set": {"seen_at": found["seen_at"] - A_MINUTE}})

    def mails(self, beginning: str) -> list[str]:
        """Who got a mail with that subject, once for each."""
        return [str(message["To"]) for message in self.mail.messages if str(message["Subject"]).startswith(beginning)]


Start = Callable[[str], NodeProcess]


@pytest.fixture(scope="module")
def place(mongod: Mongod, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        mail, database = stack.enter_context(MailServer()), stack.enter_context(database_of(mongod))
        ini = f"{shared_settings(mongod, database, mail)}auth_key = {KEY}\n[alerts]\noperators = {OPERATOR}\n"
        web = stack.enter_context(CoalMine(tmp_path_factory.mktemp("web"), "--web", ini=ini))
        until("a judgement", lambda: "backgrounds" in web.get("/health").json())
        yield Place(database, ini, mail, web)


@pytest.fixture
def start(place: Place, tmp_path: Path) -> Iterator[Start]:
    """Starts a node that has shown itself."""
    with ExitStack() as stack:

        def start_one(name: str) -> NodeProcess:
            node = stack.enter_context(NodeProcess(tmp_path / name, name, ini=place.ini))
            until("its first beat", lambda: place.database["nodes"].count_documents({"_id": name, "pid": node.pid}))
            return node

        yield start_one


def killed(place: Place, node: NodeProcess) -> None:
    """And told of."""
    node.stop(signal.SIGKILL)
    place.make_old(node.name)
    until("the mail", lambda: place.mails(f"[STOPPED] node {node.name} on "))


def test_a_node_that_is_killed_is_told_of(place: Place, start: Start) -> None:
    killed(place, start("victim"))

    assert place.mails("[STOPPED] node victim on ") == [OPERATOR]


def test_a_node_that_is_started_again_after_it_was_told_of_is_told_to_be_back(place: Place, start: Start) -> None:
    node = start("phoenix")
    killed(place, node)
    node.start()
    until("the mail", lambda: place.mails("[RESUMED] node phoenix on "))

    assert place.mails("[RESUMED] node phoenix on ") == [OPERATOR]


def test_a_node_that_ends_cleanly_is_not_told_of(place: Place, start: Start) -> None:
    start("quiet").stop()
    place.make_old("quiet")
    killed(place, start("loud"))

    assert place.mails("[STOPPED] node quiet on ") == []


def test_a_node_that_ends_cleanly_while_its_runs_go_on_is_not_told_of(place: Place, start: Start) -> None:
    node = start("busy")
    place.run_for_long()
    until("its run", lambda: any(run.is_alive() for run in node.directories()))
    node.stop()
    place.make_old("busy")
    killed(place, start("noisy"))

    assert place.mails("[STOPPED] node busy on ") == []
