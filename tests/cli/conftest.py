"""cmcli, and servers for it to talk to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Cmcli
from tests.cli.stranger import Stranger
from tests.support.server import CoalMine


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    """One Coal Mine for all tests, since its start takes longer than most of them."""
    with CoalMine(tmp_path_factory.mktemp("coal-mine")) as server:
        yield server


@pytest.fixture
def server(running: CoalMine) -> Iterator[CoalMine]:
    """A Coal Mine without any canaries."""
    yield running
    for canary in running.call("list")["canaries"]:
        running.call("delete", id=canary["id"])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def unconfigured(home: Path) -> Cmcli:
    """Knows no server."""
    return Cmcli(home)


@pytest.fixture
def cmcli(home: Path, server: CoalMine) -> Cmcli:
    """Knows the running server."""
    return Cmcli(home, COAL_MINE_HOST=server.url)


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    with Stranger() as one:
        yield one
