"""A plant on a replica set, without backgrounds and nodes: each test adds what it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.jobs.plant import Plant, StampingMailServer
from tests.stores.conftest import database_of
from tests.support.mongod import Mongod


@pytest.fixture
def plant(replica_set: Mongod, tmp_path: Path) -> Iterator[Plant]:
    with database_of(replica_set) as database, StampingMailServer() as mail, Plant(tmp_path, replica_set, database, mail) as plant:
        yield plant
