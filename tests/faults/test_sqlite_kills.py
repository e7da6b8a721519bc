"""Processes of a server on SQLite die or freeze under load."""

from __future__ import annotations

from tests.faults.conftest import Keep
from tests.faults.mishaps import process_mishaps
from tests.faults.scene import Scene
from tests.support.moody_mail import MoodyMailServer


def test_nothing_is_lost_on_sqlite_when_processes_die_or_freeze(keep: Keep, sqlite_section: str, moody_mail: MoodyMailServer) -> None:
    server = keep(sqlite_section)
    Scene([server], moody_mail).play(process_mishaps(server))
