"""Fixtures that tests of several parts share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain, zip_longest

import pytest

from tests.support.mail import MailServer
from tests.support.mongod import Mongod, OwnMongod
from tests.support.server import CoalMine
from tests.support.shared import SharedMongods

# Needs Debian packages; `make debian` installs them and names the directory.
collect_ignore = ["debian"]

# The files that wait longest, for processes, leases and elections; the longest first. One that is missing here costs time, nothing else.
SLOW = [
    "tests/e2e/test_watched_watchers.py",
    "tests/e2e/test_alerts.py",
    "tests/e2e/test_ping.py",
    "tests/faults/jobs/test_outages.py",
    "tests/faults/test_mongo_kills.py",
    "tests/faults/jobs/test_rerun.py",
    "tests/e2e/test_several_servers.py",
    "tests/stores/test_mongo_takeover.py",
    "tests/e2e/test_unclean_end.py",
    "tests/faults/test_mongo_primaries.py",
    "tests/security/test_crowds.py",
    "tests/stores/test_mongo_outages.py",
    "tests/faults/test_smtp.py",
    "tests/faults/test_sqlite_kills.py",
    "tests/config/test_stopping.py",
    "tests/faults/jobs/test_odd_jobs.py",
    "tests/faults/jobs/test_changes.py",
    "tests/faults/test_takeover.py",
    "tests/faults/jobs/test_steps.py",
    "tests/security/test_mails.py",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several workers take the files in this order, let each slow one begin beside one that keeps a processor busy.

    A slow one that began last would let the other workers wait for it.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    slow = [files.pop(name) for name in SLOW if name in files]
    brief = sorted(files.values(), key=len, reverse=True)
    items[:] = chain.from_iterable(chain.from_iterable(zip_longest(slow, brief, fillvalue=[])))


@pytest.fixture(scope="session")
def shared_mongods(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedMongods]:
    """Several workers have directories of their own in one of the run."""
    directory = tmp_path_factory.getbasetemp()
    with SharedMongods(directory.parent if "PYTEST_XDIST_WORKER" in os.environ else directory) as shared:
        yield shared


@pytest.fixture(scope="session")
def mongod(shared_mongods: SharedMongods) -> Mongod:
    """A standalone MongoDB server, journaled, for the whole run; tests of other files use it at the same time."""
    return shared_mongods.get(members=1)


@pytest.fixture(scope="session")
def replica_set(shared_mongods: SharedMongods) -> Mongod:
    """A replica set of three members for the whole run; tests of other files use it at the same time."""
    return shared_mongods.get(members=3)


@pytest.fixture(scope="module")
def own_replica_set() -> Iterator[OwnMongod]:
    """One for a single file, whose tests disturb it."""
    with OwnMongod(members=3) as servers:
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
