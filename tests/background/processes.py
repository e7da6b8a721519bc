"""Processes that look after each other, for the tests of heartbeats."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from coal_mine.background.heartbeat import BEAT, Heartbeat
from coal_mine.domain.alert import Alert, Kind
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.ports import Store
from coal_mine.domain.server import Server
from coal_mine.stores.sqlite.store import SqliteStore
from tests.support.edges import FakeClock

MINUTE = timedelta(minutes=1)
OPS = ("ops@example.com",)
STOPPED_ALPHA = (Kind.STOPPED, "alpha|1|n")
RESUMED_ALPHA = (Kind.RESUMED, "alpha|1|n")


def introduction(name: str, *, background: bool) -> Callable[[datetime], Server]:
    def introduce(now: datetime) -> Server:
        return Server(id=f"{name}|1|n", host=name, pid=1, background=background, version="1.0", started_at=now, seen_at=now)

    return introduce


class World:
    """Processes that share a store, and time that passes for all of them alike."""

    def __init__(self, store: SqliteStore, clock: FakeClock) -> None:
        self.store = store
        self.clock = clock
        self.operators_told = 0
        self._living: dict[str, Heartbeat] = {}

    def start(self, *names: str, background: bool = True, operators: tuple[str, ...] = OPS, store: Store | None = None) -> Heartbeat:
        for name in names:
            introduce = introduction(name, background=background)
            self._living[name] = Heartbeat(store or self.store, introduce, operators, self._tell)
        return self._living[names[-1]]

    def stop(self, name: str) -> Heartbeat:
        """It beats no more, without a word; what is returned may go on later."""
        return self._living.pop(name)

    def go_on(self, name: str, heartbeat: Heartbeat) -> None:
        self._living[name] = heartbeat

    def live(self, length: timedelta) -> None:
        """Beat after beat, in each of which every living process takes its turn; what fails is tried at the next."""
        end = self.clock.now() + length
        while self.clock.now() < end:
            self.beat(*self._living)
            self.clock.move(BEAT)

    def beat(self, *names: str) -> None:
        for name in names:
            with suppress(StoreUnavailable):
                self._living[name].run_once(self.clock.now())

    def alerts(self) -> list[Alert]:
        """All that were ever told, oldest first."""
        return [delivery.alert for delivery in reversed(self.store.outbox.deliveries(limit=100))]

    def told(self) -> list[tuple[Kind, str]]:
        return [(alert.kind, alert.about) for alert in self.alerts()]

    def _tell(self) -> None:
        self.operators_told += 1
