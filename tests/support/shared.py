"""MongoDB servers that all workers of a run share: the first that needs one starts it, and stops it when nobody uses it any more.

A server idles almost as dearly as it works, so one for each worker would take the processors from the tests.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO

from tests.support.mongod import Mongod, OwnMongod


class SharedMongods:
    """Those that one worker uses, and among them those that it has started. `directory` is the same for all workers.

    All locks are released by the kernel when a worker dies, and a server ends with the worker that has started it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._users: dict[int, IO[str]] = {}
        self._started: dict[int, _Started] = {}

    def __enter__(self) -> SharedMongods:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # All before the first wait, or two workers that have started one server each would wait for each other.
        for users in self._users.values():
            fcntl.flock(users, fcntl.LOCK_UN)
        for members, started in self._started.items():
            # Who comes now waits until this one is stopped, and starts another.
            fcntl.flock(self._users[members], fcntl.LOCK_EX)
            started.stop()
        for users in self._users.values():
            users.close()

    def get(self, members: int) -> Mongod:
        with _alone(self._directory / f"mongod-{members}.start"):
            self._users[members] = (self._directory / f"mongod-{members}.users").open("a")
            fcntl.flock(self._users[members], fcntl.LOCK_SH)
            told = (self._directory / f"mongod-{members}.json").open("a+")
            try:
                fcntl.flock(told, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with told:
                    return _told(told)
            self._started[members] = _Started(OwnMongod(members), told)
            return self._started[members].server


class _Started:
    """A server of this worker. While it runs, its file is locked and tells where it is."""

    def __init__(self, server: OwnMongod, told: IO[str]) -> None:
        self.server = server
        with ExitStack() as stack:
            stack.enter_context(told)
            stack.enter_context(server)
            stack.enter_context(_ends_with_us(server))
            told.truncate(0)
            json.dump({"hosts": server.hosts, "replica_set": server.replica_set}, told)
            told.flush()
            self._stack = stack.pop_all()

    def stop(self) -> None:
        self._stack.close()


def _told(file: IO[str]) -> Mongod:
    file.seek(0)
    found = json.load(file)
    return Mongod(found["hosts"], found["replica_set"])


@contextmanager
def _ends_with_us(server: OwnMongod) -> Iterator[None]:
    """A shell that reads from us, and whose input ends when we are killed."""
    command = ["sh", "-c", 'read _; kill -9 "$@"; rm -rf "$0"', str(server.directory), *map(str, server.pids)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as watcher:
        yield
        # Before its input ends, and before the pids could belong to others.
        watcher.kill()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
