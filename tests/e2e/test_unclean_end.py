"""Servers that die as a whole, or whose parent does: their successors tell, or other servers."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.faults.processes import Process, children, process_of
from tests.stores.conftest import database_of
from tests.support.mail import MailServer
from tests.support.mongod import Mongod
from tests.support.server import CoalMine
from tests.support.settings import shared_settings
from tests.support.waiting import until


def worker_of(server: CoalMine) -> Process:
    top = process_of(server.pid)
    assert top
    (worker,) = until("the worker", lambda: children(top))
    return worker


def make_old(path: Path, pid: int) -> None:
    """What it wrote last, as if its lease had ended since."""
    with closing(sqlite3.connect(path)) as connection, connection:
        changed = connection.execute("UPDATE servers SET seen_at = seen_at - 60000 WHERE pid = ?", (pid,)).rowcount

    assert changed == 1


def known_pids(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [pid for (pid,) in connection.execute("SELECT pid FROM servers")]


def ini_of(path: Path) -> str:
    return f"[sqlite]\npath = {path}\n[alerts]\noperators = ops@example.test\n[wsgi]\nhost = 127.0.0.1\n"


def test_a_worker_that_is_killed_is_told_by_the_one_that_takes_its_place(mail: MailServer, tmp_path: Path) -> None:
    path = tmp_path / "cm.sqlite3"
    email = f"[email]\nsender = cm@example.test\nhost = 127.0.0.1\nport = {mail.port}\n"
    with CoalMine(tmp_path / "server", ini=ini_of(path) + email) as server:
        victim = worker_of(server)
        until("its first beat", lambda: known_pids(path) == [victim.pid])
        victim.kill()
        make_old(path, victim.pid)
        until("a mail", lambda: mail.messages)
        (told,) = mail.messages

    assert str(told["Subject"]).startswith(f"[STOPPED] background process {victim.pid} on ")
    assert told["To"] == "ops@example.test"


def test_a_worker_whose_parent_was_killed_is_told_after_the_next_start_and_without_mail_settings_in_the_log(tmp_path: Path) -> None:
    path = tmp_path / "cm.sqlite3"
    with CoalMine(tmp_path / "server", ini=ini_of(path)) as server:
        worker = worker_of(server)
        until("its first beat", lambda: known_pids(path) == [worker.pid])
        server.stop(signal.SIGKILL)
        until("the end of the worker", lambda: not worker.lives)
        make_old(path, worker.pid)
        server.start()
        told = f"ALERT for ops@example.test: [STOPPED] The background process {worker.pid} on "
        until("the alert in the log", lambda: told in server.log)

    assert server.log.count(told) == 1


def test_a_background_whose_parent_was_killed_is_left_for_the_others_to_notice(mongod: Mongod, mail: MailServer, tmp_path: Path) -> None:
    with database_of(mongod) as database:
        with CoalMine(tmp_path / "server", ini=shared_settings(mongod, database, mail)) as server:
            top = process_of(server.pid)
            assert top
            pids = until("its processes", lambda: [each["pid"] for each in database["servers"].find({"background": True})])
            below = until("both", lambda: found if len(found := children(top)) == 2 else None)
            server.stop(signal.SIGKILL)
            until("the end of both", lambda: not any(process.lives for process in below))
        left = [each["pid"] for each in database["servers"].find({"background": True})]

    assert left == pids


def test_a_server_that_ends_cleanly_leaves_nothing_to_tell(tmp_path: Path) -> None:
    path = tmp_path / "cm.sqlite3"
    with CoalMine(tmp_path / "server", ini=f"[sqlite]\npath = {path}\n[wsgi]\nhost = 127.0.0.1\n") as server:
        until("its first beat", lambda: known_pids(path))
        status = server.stop()

    assert status == 0
    assert known_pids(path) == []
