"""Triggers go on while thousands of others hold connections, send slowly, do not read or ask all the time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.security.crowd import crowd
from tests.security.latency import Latencies, Target, measured
from tests.security.limits import allow_many_files, usual_files
from tests.security.sizes import LONG, SECONDS
from tests.support.server import API, CoalMine

SIZES = {"half_open": 1_000, "idle": 2_000, "slow_body": 1_000, "poller": 200, "slow_reader": 100}
PART = 1 if LONG else 10
RATE = 50.0
# A hundred canaries to list; for those who do not read, more than the systems on both sides take off our hands.
LISTED, DESCRIPTION = 100, "d" * 100
MORE_LISTED, LONG_DESCRIPTION = 500, "d" * 10_000


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    """Started as most systems start it, with leave for 1,024 files."""
    with usual_files(), CoalMine(tmp_path_factory.mktemp("crowded"), ini="[wsgi]\nhost = 127.0.0.1\n") as running:
        allow_many_files()
        _fill(running, "Listed", LISTED, DESCRIPTION)
        yield running


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    """On the same machine in the same moment, so it shows what is the machine's doing."""
    with CoalMine(tmp_path_factory.mktemp("quiet"), ini="[wsgi]\nhost = 127.0.0.1\n") as running:
        yield running


def _fill(server: CoalMine, name: str, count: int, description: str) -> None:
    with requests.Session() as session:
        for number in range(count):
            fields = {"name": f"{name} {number}", "periodicity": "3600", "description": description}
            assert session.post(f"{server.url}{API}/create", fields).status_code == 200


def _both(crowded: CoalMine, quiet: CoalMine, name: str, seconds: float) -> tuple[Latencies, Latencies]:
    targets = [Target.of(server, server.call("create", name=name, periodicity=3600)["canary"]["id"]) for server in (crowded, quiet)]
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda target: measured(target, seconds=seconds, rate=RATE), targets)
    return first, second


@pytest.mark.parametrize("what", SIZES)
def test_triggers_go_on_beside_a_crowd(crowded: CoalMine, quiet: CoalMine, what: str) -> None:
    if what == "slow_reader":
        _fill(crowded, "Long", MORE_LISTED, LONG_DESCRIPTION)
    seconds = SECONDS or 2
    alone, _ = _both(crowded, quiet, f"Before {what}", seconds)
    count = SIZES[what] // PART
    with crowd(what, crowded, count):
        beside, elsewhere = _both(crowded, quiet, f"Beside {what}", seconds)
    report = [f"before the {what}s: {alone}", f"beside {count}: {beside}", f"quiet server meanwhile: {elsewhere}"]
    print("\n" + "\n".join(report) + f"\nload {os.getloadavg()[0]:.1f}")  # noqa: T201 - the measurement

    assert alone.failed + beside.failed + elsewhere.failed == []
    assert beside.at(0.5) < max(0.1, 3 * elsewhere.at(0.5))
