"""Fixtures that tests of several parts share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.mail import MailServer
from tests.support.mongod import Mongod
from tests.support.server import CoalMine

# Needs Debian packages; `make debian` installs them and names the directory.
collect_ignore = ["debian"]


@pytest.fixture(scope="session")
def mongod() -> Iterator[Mongod]:
    """A standalone MongoDB server, journaled, for the whole session."""
    with Mongod() as server:
        yield server


@pytest.fixture(scope="session")
def replica_set() -> Iterator[Mongod]:
    """A replica set of three members for the whole session."""
    with Mongod(members=3) as servers:
        yield servers


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    """A server without any configuration, on the embedded store; tests share it, so each makes canaries with names of its own."""
    with CoalMine(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running
