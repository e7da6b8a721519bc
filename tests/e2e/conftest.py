"""Servers with mail, on each store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pymongo import MongoClient

from tests.support.mail import MailServer
from tests.support.server import CoalMine


@pytest.fixture(params=["sqlite", "mongo"])
def store_section(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The section of coal-mine.ini that names an empty store."""
    if request.param == "sqlite":
        return f"[sqlite]\npath = {tmp_path}/cm.sqlite3\n"
    mongod = request.getfixturevalue("mongod")
    name = f"coalmine_test_e2e_{tmp_path.name[-40:]}"[:60]

    def drop() -> None:
        with MongoClient(mongod.uri) as client:
            client.drop_database(name)

    request.addfinalizer(drop)
    return f"[mongodb]\nhosts = {mongod.uri}\ndatabase = {name}\n"


@pytest.fixture
def make_server(store_section: str, mail: MailServer, tmp_path: Path) -> Callable[[], CoalMine]:
    """A server, not yet started, that mails through `mail`."""
    ini = f"[email]\nsender = cm@example.test\nhost = 127.0.0.1\nport = {mail.port}\n[wsgi]\nhost = 127.0.0.1\n{store_section}"
    return lambda: CoalMine(tmp_path / "server", ini=ini)
