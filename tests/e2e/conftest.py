"""Servers with mail, on each store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stores.conftest import database_of
from tests.support.mail import MailServer
from tests.support.mongod import Mongod
from tests.support.server import CoalMine

MakeSection = Callable[[Path], AbstractContextManager[str]]


@pytest.fixture(scope="module", params=["sqlite", "mongo"])
def make_section(request: pytest.FixtureRequest) -> MakeSection:
    """The section of coal-mine.ini that names an empty store, which may lie in that directory."""
    if request.param == "sqlite":
        return lambda directory: nullcontext(f"[sqlite]\npath = {directory}/cm.sqlite3\n")
    mongod: Mongod = request.getfixturevalue("mongod")

    @contextmanager
    def make(_directory: Path) -> Iterator[str]:
        with database_of(mongod) as database:
            yield f"[mongodb]\nhosts = {mongod.uri}\ndatabase = {database.name}\n"

    return make


@pytest.fixture
def make_server(make_section: MakeSection, mail: MailServer, tmp_path: Path) -> Iterator[Callable[[], CoalMine]]:
    """A server, not yet started, that mails through `mail`."""
    with make_section(tmp_path) as section:
        yield lambda: _mailing(tmp_path, mail, section)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A server and the mail server through which it mails."""

    server: CoalMine
    mail: MailServer


@pytest.fixture(scope="module")
def place(make_section: MakeSection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Tests share it, so each makes canaries with names and receivers of its own."""
    directory = tmp_path_factory.mktemp("place")
    with make_section(directory) as section, MailServer() as mail, _mailing(directory, mail, section) as server:
        yield Place(server=server, mail=mail)


def _mailing(directory: Path, mail: MailServer, section: str) -> CoalMine:
    email = f"[email]\nsender = cm@example.test\nhost = 127.0.0.1\nport = {mail.port}\n"
    return CoalMine(directory / "server", ini=f"{email}[wsgi]\nhost = 127.0.0.1\n{section}")
