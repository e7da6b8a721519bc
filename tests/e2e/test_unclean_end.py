"""On SQLite one process does all. When it dies, only its successor can tell."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.faults.processes import Process, children, process_of
from tests.support.mail import MailServer
from tests.support.server import CoalMine
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


def test_a_worker_that_is_killed_is_told_by_the_one_that_takes_its_place(mail: MailServer, tmp_path: Path) -> None:
    path = tmp_path / "cm.sqlite3"
    ini = (
        f"[sqlite]\npath = {path}\n[alerts]\noperators = ops@example.test\n[wsgi]\nhost = 127.0.0.1\n"
        f"[email]\nsender = cm@example.test\nhost = 127.0.0.1\nport = {mail.port}\n"
    )
    with CoalMine(tmp_path / "server", ini=ini) as server:
        victim = worker_of(server)
        until("its first beat", lambda: known_pids(path) == [victim.pid])
        victim.kill()
        make_old(path, victim.pid)
        until("a mail", lambda: mail.messages)
        (told,) = mail.messages

    assert str(told["Subject"]).startswith(f"[STOPPED] background process {victim.pid} on ")
    assert told["To"] == "ops@example.test"


def test_a_server_that_ends_cleanly_leaves_nothing_to_tell(tmp_path: Path) -> None:
    path = tmp_path / "cm.sqlite3"
    with CoalMine(tmp_path / "server", ini=f"[sqlite]\npath = {path}\n[wsgi]\nhost = 127.0.0.1\n") as server:
        until("its first beat", lambda: known_pids(path))
        status = server.stop()

    assert status == 0
    assert known_pids(path) == []
