"""A plant on a replica set, without backgrounds and nodes: each test adds what it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.jobs.plant import Plant, StampingMailServer
from tests.faults.scene import is_long
from tests.stores.conftest import database_of
from tests.support.mongod import Mongod
from tests.support.nodes import NodeProcess

# These need root or much time.
collect_ignore = [] if is_long() else ["test_sleep.py", "test_long.py"]

Nodes = tuple[NodeProcess, NodeProcess]


@pytest.fixture
def plant(replica_set: Mongod, tmp_path: Path) -> Iterator[Plant]:
    with database_of(replica_set) as database, StampingMailServer() as mail, Plant(tmp_path, replica_set, database, mail) as plant:
        yield plant


@pytest.fixture
def nodes(plant: Plant) -> Nodes:
    """With a background; the second one takes nothing until it is asked to."""
    plant.background()
    found = plant.node("one"), plant.node("two")
    for node in found:
        plant.wait_for_node(node.name)
    plant.ask("/nodes/two/drain", "POST")
    return found
