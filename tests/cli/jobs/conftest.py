"""cmcli with a Coal Mine that runs jobs; tests share it, and each leaves it without jobs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cli.command import Cmcli
from tests.cli.jobs.within import CmcliWithin
from tests.support.server import CoalMine
from tests.support.waiting import PATIENCE, until

Call = Callable[..., Any]
ROOT = "/coal-mine/v1"


def key_file(server: CoalMine) -> Path:
    return server.directory / "state" / "coal-mine" / "key"


@pytest.fixture(scope="session")
def call(running: CoalMine) -> Call:
    """The JSON answer of the API of jobs."""
    headers = {"X-Auth-Token": key_file(running).read_text().strip()}

    def ask(method: str, path: str, body: Any = None, *, may_be_late: bool = False) -> Any:
        response = requests.request(method, f"{running.url}{ROOT}/{path}", json=body, headers=headers, timeout=PATIENCE)
        assert response.ok or (may_be_late and response.status_code == 409), response.text
        return response.json()

    return ask


@pytest.fixture(scope="session")
def written_by(running: CoalMine) -> Callable[[str], str]:
    """What a run has written so far."""
    headers = {"X-Auth-Token": key_file(running).read_text().strip()}

    def read(run_id: str) -> str:
        response = requests.get(f"{running.url}{ROOT}/runs/{run_id}/output", headers=headers, timeout=PATIENCE)
        assert response.ok, response.text
        return response.text

    return read


@pytest.fixture
def unconfigured(home: Path) -> Cmcli:
    """Knows no server."""
    return CmcliWithin(home)


@pytest.fixture
def cmcli(home: Path, running: CoalMine, call: Call) -> Iterator[Cmcli]:
    """Knows the server by its address, and finds the key where the server keeps it."""
    until("a node", lambda: call("GET", "nodes")["nodes"])
    yield CmcliWithin(home, COAL_MINE_HOST=running.url, XDG_STATE_HOME=str(running.directory / "state"))
    for job in call("GET", "jobs?limit=1000")["jobs"]:
        for run in call("GET", f"runs?job={job['id']}&state=claimed,running")["runs"]:
            call("POST", f"runs/{run['id']}/kill", may_be_late=True)
        call("DELETE", f"jobs/{job['id']}")


_numbers = itertools.count(1)


@pytest.fixture
def job(call: Call, cmcli: Cmcli) -> Call:
    """Creates a job with this command and whatever else it has; its id, which no other test's job has."""

    def create(command: Any, **fields: Any) -> str:
        number = next(_numbers)  # with zeros before it, so that ids sort as they are made
        created = call("POST", "jobs", {"name": f"Job {number}", "id": f"job{number:04}", "command": command, **fields})
        job_id: str = created["id"]
        return job_id

    return create
