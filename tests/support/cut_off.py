"""A replica set whose members live in network namespaces, so that each can be cut off. Needs root and iproute2."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from tests.support.mongod import OwnMongod, _Member
from tests.support.waiting import until

# Set aside for tests of networks (RFC 2544), so nobody is there.
_NETWORK = "198.18.77"


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"network namespaces are needed, and so are root and iproute2: ip {' '.join(arguments)}: {done.stderr.strip()}")


class _Distant(_Member):
    """A member in a namespace, at the end of a cable that leads to our bridge."""

    def __init__(self, directory: Path, replica_set: str | None, number: int, bridge: str) -> None:
        super().__init__(directory, replica_set, cache_gb=0.25)
        self._host = f"{_NETWORK}.{number + 2}"
        self._namespace = f"{bridge}n{number}"
        self._cable = f"{bridge}c{number}"
        command = [part.replace("--bind_ip=127.0.0.1", f"--bind_ip={self._host}") for part in self._command]
        self._command = ["ip", "netns", "exec", self._namespace, *command]
        self._bridge = bridge

    @property
    def address(self) -> str:
        return f"{self._host}:{self.port}"

    def connect(self) -> None:
        inside = f"{self._cable}i"
        _ip("netns", "add", self._namespace)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", inside)
        _ip("link", "set", inside, "netns", self._namespace)
        _ip("link", "set", self._cable, "master", self._bridge, "up")
        _ip("-n", self._namespace, "addr", "add", f"{self._host}/24", "dev", inside)
        _ip("-n", self._namespace, "link", "set", inside, "up")
        _ip("-n", self._namespace, "link", "set", "lo", "up")

    def disconnect(self) -> None:
        """The system keeps a namespace, and with it its cable, until the last packet to the dead mongod is given up."""
        for what in (["link", "delete", self._cable], ["netns", "delete", self._namespace]):
            subprocess.run(["ip", *what], capture_output=True, check=False)

    def wait_until_up(self) -> None:
        until(f"mongod at {self.address}", self._answers)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex((self._host, self.port)) == 0

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        """Nobody reaches it and nobody is told so: packets are lost in silence."""
        _ip("link", "set", self._cable, "down")
        try:
            yield
        finally:
            _ip("link", "set", self._cable, "up")

    @contextmanager
    def without(self, others: list[_Distant]) -> Iterator[None]:
        """It and the others do not reach each other, while clients reach all of them."""
        for other in others:
            _ip("-n", self._namespace, "route", "add", "blackhole", f"{other._host}/32")
        try:
            yield
        finally:
            for other in others:
                _ip("-n", self._namespace, "route", "del", "blackhole", f"{other._host}/32")


class DistantMongod(OwnMongod):
    """As OwnMongod with three members, each on a machine of its own as far as the network is concerned."""

    def __init__(self) -> None:
        super().__init__(members=3)
        self._bridge = f"cm{os.getpid()}"
        self._distant = [_Distant(self.directory / f"distant{number}", self.replica_set, number, self._bridge) for number in range(3)]
        self._members = list(self._distant)
        self.hosts = ",".join(member.address for member in self._members)

    def __enter__(self) -> OwnMongod:
        try:
            _ip("link", "add", self._bridge, "type", "bridge")
            _ip("addr", "add", f"{_NETWORK}.1/24", "dev", self._bridge)
            _ip("link", "set", self._bridge, "up")
            for member in self._distant:
                member.connect()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return super().__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        super().__exit__(kind, error, trace)
        for member in self._distant:
            member.disconnect()
        subprocess.run(["ip", "link", "delete", self._bridge], capture_output=True, check=False)

    @contextmanager
    def primary_unplugged(self) -> Iterator[None]:
        with self._distant_primary().unplugged():
            yield

    @contextmanager
    def primary_alone(self) -> Iterator[None]:
        """Clients still reach the primary, but it reaches no other member."""
        primary = self._distant_primary()
        with primary.without([member for member in self._distant if member is not primary]):
            yield

    def _distant_primary(self) -> _Distant:
        primary = self._primary()
        assert isinstance(primary, _Distant)
        return primary
