"""A canary to try things on, and a server that asks for a key."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.job_calls import JobCalls
from tests.support.server import CoalMine


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """One that no other test uses."""
    return f"{request.node.originalname} {uuid.uuid4().hex[:8]}"


@pytest.fixture
def canary(server: CoalMine, name: str) -> Any:
    """An hourly one."""
    return server.call("create", name=name, periodicity=3600)["canary"]


@pytest.fixture(scope="session")
def key() -> str:
    return "right-key-7361"


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory, key: str) -> Iterator[CoalMine]:
    """A server with a key; tests share it as they share `server`."""
    with CoalMine(tmp_path_factory.mktemp("guarded"), ini=f"[wsgi]\nhost = 127.0.0.1\nauth_key = {key}\n") as running:
        yield running


@pytest.fixture(scope="session")
def jobs(server: CoalMine) -> JobCalls:
    """Of the shared server, which is a node, too."""
    return JobCalls(server)
