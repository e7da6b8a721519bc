"""Real servers that run real commands, and the documents that Elasticsearch gets of them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from coal_mine.services.owed_documents import WANTED_UNTIL
from tests.stores.conftest import database_of
from tests.support.background import Background
from tests.support.elastic import Document, Elastic
from tests.support.mail import MailServer
from tests.support.mongod import Mongod
from tests.support.nodes import NodeProcess
from tests.support.server import CoalMine
from tests.support.settings import shared_settings
from tests.support.waiting import PATIENCE, until

KEY = "k"
CREATED, EXECUTION, REPORT = "moneta-task-created", "moneta-task-execution", "moneta-task-report"


@dataclass(frozen=True)
class Place:
    server: CoalMine
    elastic: Elastic
    mail: MailServer

    def run(self, name: str, command: str, **body: Any) -> str:
        """Once, by hand; the id of the job."""
        job = self._post("jobs", {"name": name, "command": command} | body)
        self._post(f"jobs/{job['id']}/run", {})
        return str(job["id"])

    def _post(self, path: str, body: object) -> Any:
        url = f"{self.server.url}/coal-mine/v1/{path}"
        answer = requests.post(url, json=body, headers={"X-Auth-Token": KEY}, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def has_ended(self, job_id: str) -> bool:
        return bool(self._get("runs", job=job_id, state="done")["runs"])

    def _get(self, path: str, **parameters: Any) -> Any:
        url = f"{self.server.url}/coal-mine/v1/{path}"
        answer = requests.get(url, params=parameters, headers={"X-Auth-Token": KEY}, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def documents_of(self, job_id: str) -> dict[str, Document]:
        """By kind."""
        return {found["event_type"]: found for found in list(self.elastic.documents.values()) if found["task"] == job_id}

    def all_of(self, job_id: str) -> dict[str, Document]:
        """When there are all three."""

        def look() -> dict[str, Document] | None:
            found = self.documents_of(job_id)
            return found if len(found) == 3 else None

        return until(f"the documents of {job_id}", look) or {}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One server that does everything."""
    directory = tmp_path_factory.mktemp("everything")
    with Elastic() as elastic, MailServer() as mail:
        ini = (
            f"[email]\nsender = cm@example.test\nhost = 127.0.0.1\nport = {mail.port}\n"
            f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n[sqlite]\npath = {directory}/cm.sqlite3\n"
            f"[node]\nname = alpha\n[elasticsearch]\nurl = {elastic.url}\nindex = audit\n"
        )
        with CoalMine(directory, ini=ini) as server:
            yield Place(server, elastic, mail)


def test_what_a_command_has_written_is_in_the_report_of_its_run(place: Place) -> None:
    job = place.run("Talking", "echo hello; echo oh >&2; exit 3", tags=["nightly"])
    report = place.all_of(job)[REPORT]

    assert sorted((line["channel"], line["text"]) for line in report["output"]["buffer"]) == [("stderr", "oh"), ("stdout", "hello")]
    assert (report["status"], report["returncode"], report["node"], report["task_tags"]) == ("error", 3, "alpha", ["nightly"])


def test_a_job_is_shown_as_clients_of_moneta_see_it(place: Place) -> None:
    job = place.run("Shown", "true")
    config = place.all_of(job)[CREATED]["config"]

    assert (config["name"], config["command"], config["pools"], config["enabled"]) == ("Shown", "true", ["default"], True)


def test_while_elasticsearch_does_not_answer_runs_end_and_mails_leave(place: Place) -> None:
    place.elastic.may_answer.clear()
    requests_before = len(place.elastic.requests)
    place.run("Asking", "true")
    until("a request that waits", lambda: len(place.elastic.requests) > requests_before)
    job = place.run("Failing", "false", emails=["jo@example.test"])
    until("the mail", lambda: any(str(mail["Subject"]).startswith("[FAILED] Failing") for mail in place.mail.messages))
    written = place.documents_of(job)
    place.elastic.may_answer.set()

    assert written == {}
    assert place.all_of(job)[REPORT]["returncode"] == 1


def test_what_was_owed_when_a_server_was_killed_is_written_by_the_next_one(place: Place) -> None:
    place.elastic.stop()
    job = place.run("Owing", "echo kept")
    until("the end of the run", lambda: place.has_ended(job))
    until("a try in vain", lambda: "next try in" in place.server.log)
    place.server.stop(signal.SIGKILL)
    place.elastic.start()
    place.server.start()

    assert place.all_of(job)[REPORT]["output"]["buffer"][0]["text"] == "kept"


def test_a_node_and_a_web_process_need_not_know_where_elasticsearch_is(mongod: Mongod, tmp_path: Path) -> None:
    """Only the background has the section; the documents of what others do come all the same."""
    with ExitStack() as stack:
        elastic, mail = stack.enter_context(Elastic()), stack.enter_context(MailServer())
        database = stack.enter_context(database_of(mongod))
        ini = f"{shared_settings(mongod, database, mail)}auth_key = {KEY}\n"
        stack.enter_context(Background(tmp_path / "background", ini=f"{ini}[elasticsearch]\nurl = {elastic.url}\n"))
        until("the wish for documents", lambda: database["options"].find_one({"_id": WANTED_UNTIL}))
        stack.enter_context(NodeProcess(tmp_path / "node", "beta", ini=ini))
        web = stack.enter_context(CoalMine(tmp_path / "web", "--web", ini=ini))
        distributed = Place(web, elastic, mail)
        found = distributed.all_of(distributed.run("Far", "echo far"))

        assert found[REPORT]["output"]["buffer"][0]["text"] == "far"
        assert found[EXECUTION]["node"] == "beta"
