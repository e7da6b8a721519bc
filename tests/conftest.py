"""Fixtures that tests of several parts share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.mongod import Mongod


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
