"""cmcli with a Coal Mine that has no tasks; each test leaves it so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cli.command import Cmcli
from tests.cli.jobs.within import CmcliWithin
from tests.support.server import CoalMine
from tests.support.waiting import PATIENCE

Ask = Callable[..., Any]


@pytest.fixture(scope="session")
def ask(running: CoalMine) -> Ask:
    """The JSON that Moneta's API, or ours, answers."""
    key = (running.directory / "state" / "coal-mine" / "key").read_text().strip()

    def call(method: str, path: str, body: Any = None) -> Any:
        response = requests.request(method, running.url + path, json=body, headers={"X-Auth-Token": key}, timeout=PATIENCE)
        assert response.ok or response.status_code == 404, response.text
        return response.json() if response.content else None

    return call


@pytest.fixture
def cmcli(home: Path, running: CoalMine, ask: Ask) -> Iterator[Cmcli]:
    """Finds the key where the server keeps it."""
    yield CmcliWithin(home, COAL_MINE_HOST=running.url, XDG_STATE_HOME=str(running.directory / "state"))
    ask("DELETE", "/tasks")
    for option in ("tick", "mailer", "audit"):
        ask("DELETE", f"/cluster/config/{option}")


@pytest.fixture
def given(home: Path) -> Callable[[Any], str]:
    """The name of a file with this configuration."""

    def write(config: Any) -> str:
        (home / "moneta.json").write_text(json.dumps(config))
        return "moneta.json"

    return write
