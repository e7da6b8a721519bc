"""What this machine can do at all, measured beside each figure of jobs: starting processes, and having a majority store something."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pymongo import MongoClient
from pymongo.write_concern import WriteConcern

from benchmarks.report import Row
from tests.support.mongod import Mongod

_SECONDS = 1.0
_STARTERS = 4
_WRITERS = 16


def raw(mongod: Mongod | None) -> Row:
    """The raw limits of this minute, and how busy it is."""
    one_by_one, by_four = process_starts()
    found: Row = {"raw starts/s": one_by_one, "by 4 at once": by_four}
    if mongod:
        found["majority writes/s"], found["by 16 writers"] = majority_writes(mongod)
    return {**found, "load": round(os.getloadavg()[0], 1)}


def process_starts() -> tuple[float, float]:
    """Starts and ends of /bin/true in a second: one after the other, and by four starters at once.

    Each starter is a small process of its own, because Python's threads would wait for each other.
    """
    return _starts(1), _starts(_STARTERS)


def _starts(starters: int) -> float:
    command = [sys.executable, "-S", "-m", "benchmarks.starts", str(_SECONDS)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]) for _ in range(starters)]
    return sum(float(process.communicate()[0]) for process in processes)


def majority_writes(mongod: Mongod) -> tuple[float, float]:
    """Updates in a second that a majority has on its disks: by one who waits for each, and by sixteen."""
    with mongod.client(w="majority", journal=True) as client:
        return _rate(lambda number: _update(client, number), 1), _rate(lambda number: _update(client, number), _WRITERS)


def _update(client: MongoClient[dict[str, object]], number: int) -> None:
    numbers = client["coalmine_test_limits"].get_collection("numbers", write_concern=WriteConcern("majority", j=True))
    numbers.update_one({"_id": number}, {"$inc": {"count": 1}}, upsert=True)


def _rate(act: Callable[[int], object], threads: int) -> float:
    begin = time.monotonic()

    def repeat(number: int) -> int:
        count = 0
        while time.monotonic() < begin + _SECONDS:
            act(number)
            count += 1
        return count

    with ThreadPoolExecutor(threads) as pool:
        count = sum(pool.map(repeat, range(threads)))
    return count / (time.monotonic() - begin)
