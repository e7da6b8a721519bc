"""Servers with mail, on each store."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.support.mail import MailServer
from tests.support.mongod import Mongod
from tests.support.server import CoalMine


@pytest.fixture
def sqlite_section(tmp_path: Path) -> str:
    return f"[sqlite]\npath = {tmp_path}/cm.sqlite3\n"


@pytest.fixture
def mongo_section(mongod: Mongod) -> Iterator[str]:
    name = f"coalmine_test_{uuid.uuid4().hex[:12]}"
    yield f"[mongodb]\nhosts = {mongod.uri}\ndatabase = {name}\n"
    with MongoClient[Any](mongod.uri) as client:
        client.drop_database(name)


@pytest.fixture(params=["sqlite", "mongo"])
def store_section(request: pytest.FixtureRequest) -> str:
    """The section of coal-mine.ini that names an empty store."""
    return str(request.getfixturevalue(f"{request.param}_section"))


@pytest.fixture
def make_server(store_section: str, mail: MailServer, tmp_path: Path) -> Callable[[], CoalMine]:
    """A server, not yet started, that mails through `mail`."""
    ini = f"[email]\nsender = cm@example.test\nhost = 127.0.0.1\nport = {mail.port}\n[wsgi]\nhost = 127.0.0.1\n{store_section}"
    return lambda: CoalMine(tmp_path / "server", ini=ini)
