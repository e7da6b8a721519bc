"""The processes that are measured, each on a free port of 127.0.0.1, and what they use."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fill import Filler, MongoFiller, SqliteFiller
from tests.support.mongod import Mongod, OwnMongod
from tests.support.server import CoalMine
from tests.support.waiting import until

STORES = ("sqlite", "mongo", "replica-set")
_DATABASE = "coalmine_test_benchmark"
_CACHE_GB = 2.0  # a million canaries and their triggers fit, as they should where somebody has so many
_HERE = Path(__file__).parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Place:
    """A store, the section of the configuration that names it, and the way to fill it while no server uses it."""

    ini: str
    filler: Filler
    mongod: Mongod | None = None


@contextmanager
def place(store: str, directory: Path) -> Iterator[Place]:
    """An empty store of that kind."""
    if store == "sqlite":
        path = directory / "coal-mine.sqlite3"
        yield Place(f"[sqlite]\npath = {path}\n", SqliteFiller(path))
        return
    with OwnMongod(members=3 if store == "replica-set" else 1, cache_gb=_CACHE_GB) as mongod, mongod.client() as client:
        yield Place(f"[mongodb]\nhosts = {mongod.uri}\ndatabase = {_DATABASE}\n", MongoFiller(client[_DATABASE]), mongod)


@contextmanager
def directory(parent: Path | None = None) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="coalmine_bench_", dir=parent))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def coal_mine(where: Place, *, mail_port: int = 0, digest_above: int = 20, checkout: Path | None = None) -> Iterator[CoalMine]:
    """Our server on a store that was filled: this working copy's, or another one's."""
    ini = f"[wsgi]\nhost = 127.0.0.1\n{where.ini}[alerts]\ndigest_above = {digest_above}\n"
    if mail_port:
        ini += f"[email]\nsender = coal-mine@example.test\nhost = 127.0.0.1\nport = {mail_port}\n"
    with directory() as home, CoalMine(home, ini=ini, environ={"PYTHONPATH": str(checkout or _HERE)}) as server:
        yield server


@contextmanager
def noop() -> Iterator[str]:
    """The URL of a server that does nothing."""
    with ExitStack() as stack:
        port = free_port()
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.noop", str(port)], cwd=_HERE)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for_port(port: int) -> None:
    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(f"a server on port {port}", answers)


def tree(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    for parent in found:
        found += [int(child) for task in Path(f"/proc/{parent}/task").glob("*/children") for child in task.read_text().split()]
    return found


def cpu_seconds(pid: int) -> float:
    """Used so far by a process and all that it started."""
    return sum(_ticks(each) for each in tree(pid)) / _TICKS


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def resident_mib(pid: int) -> float:
    """Memory in use; what forked processes share is counted once."""
    pages = [line for each in tree(pid) for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:")]
    return sum(int(line.split()[1]) for line in pages) / 1024
