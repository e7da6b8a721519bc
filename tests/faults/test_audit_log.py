"""The audit log of servers whose processes are killed while jobs are changed."""

from __future__ import annotations

import base64
import configparser
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import count, pairwise
from pathlib import Path

import requests

from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditKind
from coal_mine.domain.job_ports import JobFilter
from coal_mine.domain.ports import Store
from coal_mine.stores.mongo.store import open_store as open_mongo
from coal_mine.stores.sqlite.store import open_store as open_sqlite
from tests.faults.conftest import Keep
from tests.faults.processes import KeptServer
from tests.support.server import CoalMine
from tests.support.waiting import until

# A connection to a process that was killed may hang.
_ASK_SECONDS = 2.0
KEY = "right-key-7361"


class Busybody:
    """Changes a job and creates another one again and again, each time under another name, whatever the answers."""

    def __init__(self, server: CoalMine) -> None:
        self._server = server
        self._numbers = count(1)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.answered = 0

    def change(self) -> bool:
        """True: it is known to be done."""
        number = next(self._numbers)
        return self._send("PATCH", "/jobs/backup", {"priority": number}, f"user {number}")

    def has_done(self, enough: int) -> bool:
        return self.answered >= enough

    def create(self, job_id: str = "backup") -> bool:
        return self._send("POST", "/jobs", {"id": job_id, "name": job_id, "command": "true"}, "user 0")

    def _send(self, method: str, path: str, body: object, user: str) -> bool:
        headers = {"Authorization": "Basic " + base64.b64encode(f"{user}:{KEY}".encode()).decode()}
        try:
            answer = requests.request(method, f"{self._server.url}/coal-mine/v1{path}", json=body, headers=headers, timeout=_ASK_SECONDS)
        except requests.RequestException:
            return False
        return answer.ok

    def _run(self) -> None:
        while not self._stop.is_set():
            self.answered += self.change()
            self.create(f"other-{next(self._numbers)}")

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()


def changed_while_processes_die(server: KeptServer) -> None:
    busybody = Busybody(server)
    until("the job", busybody.create)
    with busybody.at_work():
        for _ in range(3):
            until("some changes", partial(busybody.has_done, busybody.answered + 10))
            server.kill("worker")
    until("a last change", busybody.change)


def refuse_gaps(store: Store) -> None:
    """Each version of the job has one entry, which says truly who has made it from what."""
    job = store.jobs.get("backup")
    entries = store.audit.select(AuditFilter(subject="backup"), limit=10_000)[::-1]

    assert [entry.id.rpartition("|")[2] for entry in entries] == [str(version) for version in range(1, job.version + 1)]
    assert all(later.old == earlier.new for earlier, later in pairwise(entries))
    assert all(entry.by == f"user {_priority(entry)}" for entry in entries)


def refuse_untold(store: Store) -> None:
    """Each job that is there has the entry of its creation, at the latest when a background has found that it is missing."""
    ids = {job.id for job in store.jobs.select(JobFilter(), limit=10_000)}
    assert len(ids) > 1
    until("the entries of all creations", lambda: ids == _created(store))


def _created(store: Store) -> set[str]:
    return {key.about for key in store.audit.keys(AuditFilter(), limit=10_000) if key.what is AuditKind.CREATED}


def _priority(entry: AuditEntry) -> int:
    return int(json.loads(entry.new)["priority"])


def test_each_change_of_a_job_is_in_the_log_though_processes_were_killed_on_sqlite(keep: Keep, sqlite_section: str, tmp_path: Path) -> None:
    changed_while_processes_die(keep(f"auth_key = {KEY}\n{sqlite_section}"))
    with closing(open_sqlite(tmp_path / "cm.sqlite3")) as store:
        refuse_gaps(store)
        refuse_untold(store)


def test_each_change_of_a_job_is_in_the_log_though_processes_were_killed_on_mongodb(keep: Keep, mongo_section: str) -> None:
    changed_while_processes_die(keep(f"auth_key = {KEY}\n{mongo_section}"))
    settings = configparser.ConfigParser()
    settings.read_string(mongo_section)
    with closing(open_mongo(settings["mongodb"]["hosts"], settings["mongodb"]["database"], {})) as store:
        refuse_gaps(store)
        refuse_untold(store)
