"""Servers that are started again when they die, and a mail server with moods."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.processes import KeptServer
from tests.faults.scene import GONE
from tests.stores.conftest import database_of
from tests.support.mongod import Mongod
from tests.support.moody_mail import MoodyMailServer

# These need root and much time.
_LONG = ["test_full_disk.py", "test_namespaces.py", "test_store_away.py", "test_watched_watchers.py"]
collect_ignore = [] if "FAULTS_SECONDS" in os.environ else _LONG

Keep = Callable[[str], KeptServer]


@pytest.fixture
def moody_mail() -> Iterator[MoodyMailServer]:
    server = MoodyMailServer()
    server.answers[GONE] = "550 no such user"
    with server:
        yield server


@pytest.fixture
def keep(moody_mail: MoodyMailServer, tmp_path: Path) -> Iterator[Keep]:
    """Starts a server with that section for its store."""
    with ExitStack() as stack:

        def start(section: str) -> KeptServer:
            ini = f"[email]\nsender = cm@example.test\nhost = 127.0.0.1\nport = {moody_mail.port}\n[wsgi]\nhost = 127.0.0.1\n{section}"
            return stack.enter_context(KeptServer(tmp_path / uuid.uuid4().hex[:8], _free_port(), ini))

        yield start


@pytest.fixture
def sqlite_section(tmp_path: Path) -> str:
    return f"[sqlite]\npath = {tmp_path}/cm.sqlite3\n"


@pytest.fixture
def mongo_section(mongod: Mongod) -> Iterator[str]:
    yield from _section_of(mongod)


@pytest.fixture
def replica_section(replica_set: Mongod) -> Iterator[str]:
    yield from _section_of(replica_set)


def _section_of(server: Mongod) -> Iterator[str]:
    with database_of(server) as database:
        yield f"[mongodb]\nhosts = {server.uri}\ndatabase = {database.name}\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
