"""Servers for Moneta's clients: one on each store for a whole file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.dialects.moneta.client import Moneta
from tests.stores.conftest import database_of
from tests.support.jobs import Scene, scene_in
from tests.support.mongod import Mongod
from tests.support.server import CoalMine

KEY = "right-key-5150"
SETTINGS = f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n[node]\nname = anode\npools = here\ntimezone = Europe/Paris\n"


@pytest.fixture(scope="session")
def moneta(server: CoalMine) -> Moneta:
    """The server that all tests share; it is a node, too."""
    return Moneta(server, (server.directory / "state" / "coal-mine" / "key").read_text().strip())


@pytest.fixture(scope="module", params=["sqlite", "mongodb"])
def either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moneta]:
    """A server on each store, for this file alone. Its node serves the pool `here`, so others have no runs."""
    directory = tmp_path_factory.mktemp("moneta")
    with _store(request, directory) as settings, CoalMine(directory, ini=SETTINGS + settings) as running:
        yield Moneta(running, KEY)


@contextmanager
def _store(request: pytest.FixtureRequest, directory: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"[sqlite]\npath = {directory}/cm.sqlite3\n"
        return
    mongod: Mongod = request.getfixturevalue("mongod")
    with database_of(mongod) as database:
        yield f"[mongodb]\nhosts = {mongod.uri}\ndatabase = {database.name}\n"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Without a server."""
    with scene_in(tmp_path) as one:
        yield one
