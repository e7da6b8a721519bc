"""Processes of a server on SQLite die or freeze under load."""

from __future__ import annotations

import random
import sqlite3
import threading
from pathlib import Path

from tests.faults.conftest import Keep
from tests.faults.mishaps import process_mishaps
from tests.faults.processes import KeptServer
from tests.faults.scene import Mishap, Scene
from tests.support.moody_mail import MoodyMailServer
from tests.support.waiting import until

# A commit under this traffic takes a few milliseconds.
_WITHIN_COMMITS = 0.05


def test_nothing_is_lost_on_sqlite_when_processes_die_or_freeze(keep: Keep, sqlite_section: str, moody_mail: MoodyMailServer) -> None:
    server = keep(sqlite_section)
    Scene([server], moody_mail).play(process_mishaps(server))


def _kill_in_a_commit(server: KeptServer, log: Path) -> Mishap:
    """Right after the write-ahead log was written to, or a moment later: before its sync, in it or after it."""

    def kill(chance: random.Random) -> None:
        worker = server.wait_until_whole()["worker"]
        before = log.stat()
        until("a commit", lambda: log.stat().st_mtime_ns != before.st_mtime_ns or log.stat().st_size != before.st_size)
        threading.Event().wait(chance.uniform(0, _WITHIN_COMMITS))
        worker.kill()

    return kill


def test_nothing_is_lost_when_sqlite_is_killed_in_the_middle_of_its_commits(
    keep: Keep, sqlite_section: str, moody_mail: MoodyMailServer, tmp_path: Path
) -> None:
    server = keep(sqlite_section)
    kills = {"kill in a commit": _kill_in_a_commit(server, tmp_path / "cm.sqlite3-wal")}
    Scene([server], moody_mail).play(kills)
    with sqlite3.connect(tmp_path / "cm.sqlite3") as connection:
        (found,) = connection.execute("PRAGMA integrity_check").fetchone()

    assert found == "ok"
