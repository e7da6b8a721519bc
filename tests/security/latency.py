"""How long triggers take, as cron would send them: each over a connection of its own."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.api.wire import request
from tests.support.server import CoalMine

_PATIENCE = 30.0
# More than can be waiting at once, unless triggers take seconds.
_CLIENTS = 64


@dataclass(frozen=True)
class Latencies:
    seconds: list[float]  # in ascending order
    failed: list[str]

    def at(self, share: float) -> float:
        return self.seconds[min(int(len(self.seconds) * share), len(self.seconds) - 1)]

    def __str__(self) -> str:
        shown = (f"{name} {at * 1_000:.1f} ms" for name, at in (("p50", self.at(0.5)), ("p90", self.at(0.9)), ("p99", self.at(0.99))))
        over = sum(one > 0.1 for one in self.seconds)
        return f"{len(self.seconds)} triggers, {', '.join(shown)}, max {self.seconds[-1] * 1_000:.1f} ms, {over} over 100 ms"


@dataclass(frozen=True)
class Target:
    address: tuple[str, int]
    path: str

    @classmethod
    def of(cls, server: CoalMine, canary_id: str) -> Target:
        return cls(address_of(server), f"/{canary_id}")


def address_of(server: CoalMine) -> tuple[str, int]:
    host, _, port = server.url.partition("://")[2].rpartition(":")
    return host, int(port)


def measured(target: Target, *, seconds: float, rate: float) -> Latencies:
    """From when each was due. As with cron, none waits for the one before it."""
    begin = time.monotonic()
    with ThreadPoolExecutor(_CLIENTS) as clients:
        answers = list(clients.map(lambda number: _triggered(target, begin + number / rate), range(int(seconds * rate))))
    failed = [repr(answer[:60]) for _, answer in answers if not answer.startswith(b"HTTP/1.1 200 ")]
    return Latencies(sorted(taken for taken, _ in answers), failed)


def _triggered(target: Target, due: float) -> tuple[float, bytes]:
    """How long it took, and the answer."""
    threading.Event().wait(max(due - time.monotonic(), 0))
    try:
        with socket.create_connection(target.address, timeout=_PATIENCE) as opened:
            opened.sendall(request("GET", target.path))
            answer = b"".join(iter(lambda: opened.recv(4_096), b""))
    except OSError as error:
        answer = repr(error).encode()
    return time.monotonic() - due, answer
