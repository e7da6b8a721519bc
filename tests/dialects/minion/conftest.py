"""A server that Minion's clients find as they are used to, with the accounts and runners of Minion's own documentation."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dialects.minion.client import KEY, MinionClient
from tests.stores.conftest import database_of
from tests.support.cloud import Cloud
from tests.support.jobs import Scene, scene_in
from tests.support.mongod import Mongod
from tests.support.server import CoalMine

SETTINGS = f"""[wsgi]
host = 127.0.0.1
auth_key = {KEY}
workers = %(workers)s
[node]
[runner:dummyRunner]
type = dummy
template = Hello, {{{{.Account}}}}!
[runner:instanceRunner]
type = instance
endpoint_template = %(cloud)s/v1/ec2/{{{{.Account}}}}/instances/{{{{.InstanceID}}}}/power
token = s3cret
[runner:otherRunner]
type = dummy
template = Not for everybody
[minion:spinup]
runners = dummyRunner, instanceRunner
[minion:empty]
"""


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """What has power over the instances."""
    with Cloud() as running:
        yield running


@pytest.fixture(scope="session")
def minion(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinionClient]:
    """On SQLite; tests share it, so each has groups of its own."""
    directory = tmp_path_factory.mktemp("minion")
    settings = SETTINGS % {"workers": 1, "cloud": cloud.url}
    with CoalMine(directory, ini=f"{settings}[sqlite]\npath = {directory}/cm.sqlite3\n") as server:
        yield MinionClient(server)


@pytest.fixture(scope="module", params=["sqlite", "replica-set"])
def either(request: pytest.FixtureRequest, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinionClient]:
    """On each store. On MongoDB two processes answer, so that a call is often answered by another one than the call before."""
    if request.param == "sqlite":
        yield request.getfixturevalue("minion")
        return
    replica_set: Mongod = request.getfixturevalue("replica_set")
    settings = SETTINGS % {"workers": 2, "cloud": cloud.url}
    with database_of(replica_set) as database:
        store = f"[mongodb]\nhosts = {replica_set.uri}\ndatabase = {database.name}\n"
        with CoalMine(tmp_path_factory.mktemp("minion"), ini=settings + store) as server:
            yield MinionClient(server)


@pytest.fixture
def group() -> str:
    """One that no other test uses."""
    return f"space-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path) as made:
        yield made
