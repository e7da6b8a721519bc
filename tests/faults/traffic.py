"""Triggers for many canaries over kept connections, each one recorded; some canaries are left silent for a while."""

from __future__ import annotations

import http.client
import itertools
import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from urllib.parse import quote

from coal_mine.clock import monotonic
from tests.faults.facts import Sent, Watched

CLIENTS = 48
# One pick in so many leaves its canary silent until its deadline has passed.
_SILENCE = 80
_TIMEOUT_SECONDS = 45.0
_RECONNECT_SECONDS = 0.05


class Roster:
    """Whose turn it is. Thread-safe."""

    def __init__(self, canaries: Sequence[Watched], chance: random.Random) -> None:
        self._turns = itertools.cycle(canaries)
        self._chance = chance
        self._silent_until: dict[str, float] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def next(self) -> tuple[Watched, str]:
        """A canary and a comment that never comes twice."""
        with self._lock:
            while True:
                canary = next(self._turns)
                if self._silent_until.get(canary.id, 0) > monotonic():
                    continue
                if self._chance.randrange(_SILENCE) == 0:
                    self._silent_until[canary.id] = monotonic() + canary.period.total_seconds() + self._chance.uniform(0, 2)
                    continue
                return canary, f"n{next(self._numbers)}"


class Traffic:
    """About `rate` triggers a second, spread over the servers, until left."""

    def __init__(self, ports: Sequence[int], roster: Roster, rate: float) -> None:
        self.sent: list[Sent] = []
        self._rate = rate
        self._ports = ports
        self._roster = roster
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,), name=f"client-{number}") for number in range(CLIENTS)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    @property
    def answered(self) -> int:
        return sum(sent.acknowledged for sent in list(self.sent))

    def _run(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._ports[number % len(self._ports)], timeout=_TIMEOUT_SECONDS)
        begin = monotonic() + number / self._rate
        for turn in itertools.count():
            if self._ending.wait(max(0.0, begin + turn * CLIENTS / self._rate - monotonic())):
                break
            sent = _trigger(connection, *self._roster.next())
            self.sent.append(sent)
            if sent.status is None:
                connection.close()
                self._ending.wait(_RECONNECT_SECONDS)
        connection.close()


def _trigger(connection: http.client.HTTPConnection, canary: Watched, comment: str) -> Sent:
    sent_at = datetime.now(UTC)
    status: int | None
    try:
        connection.request("GET", f"/{canary.id}?comment={quote(comment)}")
        answer = connection.getresponse()
        status = answer.status if answer.read() else None
    except (OSError, http.client.HTTPException):
        status = None
    return Sent(canary.id, comment, sent_at, datetime.now(UTC), status)
