"""When canaries are marked late, and when not yet."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from coal_mine.background.watcher import DeadlineWatcher
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.ports import CanaryStore
from coal_mine.services.canaries import Canaries, Reference
from coal_mine.services.definitions import Definition
from coal_mine.stores.sqlite.store import SqliteStore
from tests.support.edges import NOW, FakeClock
from tests.support.waiting import until

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BACKUP = Reference(name="Backup")


class Distant:
    """A store on the other end of a cable that the test can cut."""

    def __init__(self, canaries: CanaryStore) -> None:
        self._canaries = canaries
        self.is_cut = False

    def next_deadline(self) -> datetime | None:
        if self.is_cut:
            raise StoreUnavailable("gone for a moment")
        return self._canaries.next_deadline()

    def mark_late(self, now: datetime) -> int:
        return self._canaries.mark_late(now)


def watcher_of(canaries: CanaryStore | Distant, alerts: list[str], *, rest: timedelta = HOUR) -> DeadlineWatcher:
    return DeadlineWatcher(canaries, lambda: alerts.append("owed"), rest_after_outage=rest)


def test_it_asks_to_be_called_at_the_next_deadline(store: SqliteStore, canaries: Canaries) -> None:
    canaries.create(Definition(name="Backup", periodicity="60"))

    assert watcher_of(store.canaries, []).run_once(NOW) == NOW + MINUTE


def test_at_the_deadline_the_canary_is_late_and_the_outbox_is_told(store: SqliteStore, canaries: Canaries, clock: FakeClock) -> None:
    canaries.create(Definition(name="Backup", periodicity="60"))
    alerts: list[str] = []
    watcher_of(store.canaries, alerts).run_once(clock.move(MINUTE))

    assert canaries.get(BACKUP).canary.late
    assert alerts == ["owed"]


def test_a_moment_before_the_deadline_nothing_happens(store: SqliteStore, canaries: Canaries) -> None:
    canaries.create(Definition(name="Backup", periodicity="60"))
    watcher_of(store.canaries, []).run_once(NOW + MINUTE - timedelta(milliseconds=1))

    assert not canaries.get(BACKUP).canary.late


def test_after_an_outage_it_rests_so_that_triggers_that_waited_are_committed_first(store: SqliteStore, canaries: Canaries) -> None:
    canaries.create(Definition(name="Backup", periodicity="60"))
    distant = Distant(store.canaries)
    watcher = watcher_of(distant, [], rest=HOUR)
    fail_once(watcher, distant)
    called_again_at = watcher.run_once(NOW + MINUTE)

    assert not canaries.get(BACKUP).canary.late
    assert called_again_at is not None
    assert NOW + MINUTE < called_again_at <= NOW + MINUTE + HOUR


def test_when_it_has_rested_it_marks_what_is_due(store: SqliteStore, canaries: Canaries) -> None:
    canaries.create(Definition(name="Backup", periodicity="60"))
    distant = Distant(store.canaries)
    watcher = watcher_of(distant, [], rest=timedelta(milliseconds=1))
    fail_once(watcher, distant)

    def is_late() -> bool:
        watcher.run_once(NOW + MINUTE)
        return canaries.get(BACKUP).canary.late

    until("the end of the rest", is_late)


def test_it_also_rests_when_somebody_else_has_found_the_store_away(store: SqliteStore, canaries: Canaries) -> None:
    """A primary may resign so fast that the watcher's own question goes through."""
    canaries.create(Definition(name="Backup", periodicity="60"))
    watcher = watcher_of(store.canaries, [], rest=HOUR)
    watcher.store_was_away()
    watcher.run_once(NOW + MINUTE)

    assert not canaries.get(BACKUP).canary.late


def fail_once(watcher: DeadlineWatcher, distant: Distant) -> None:
    distant.is_cut = True
    with pytest.raises(StoreUnavailable):
        watcher.run_once(NOW + MINUTE)
    distant.is_cut = False
