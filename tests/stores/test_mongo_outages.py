"""Servers die and primaries step down while triggers wait: what was answered is there, and callers need not come back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pymongo
import pytest

from coal_mine.domain.canary import Entry
from coal_mine.domain.errors import Invalid, StoreUnavailable
from coal_mine.domain.ports import CanaryFilter, Store
from coal_mine.stores.mongo.commit import GroupCommit
from coal_mine.stores.mongo.history import History
from coal_mine.stores.mongo.store import check, open_store
from tests.stores.conftest import database_of
from tests.stores.examples import MILLISECOND, NOW, added, canary, entry
from tests.support.mongod import Mongod, OwnMongod
from tests.support.waiting import until

QUICK = {"serverSelectionTimeoutMS": 100}


class _Load:
    """Eight threads that trigger all the time; keeps what was answered and what failed."""

    def __init__(self, store: Store) -> None:
        self.answered: list[tuple[str, Entry]] = []
        self.failed: list[Exception] = []
        self._store = store
        self._ids = [added(store).id for _ in range(8)]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(each,)) for each in self._ids]

    def _run(self, canary_id: str) -> None:
        at = NOW
        while not self._stop.is_set():
            at += MILLISECOND
            told = entry(at)
            try:
                self._store.canaries.trigger(canary_id, told)
            except Exception as error:  # noqa: BLE001 - judged by the test
                self.failed.append(error)
            else:
                self.answered.append((canary_id, told))

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        self.wait_for_more()
        yield
        self.wait_for_more()
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self) -> None:
        seen = len(self.answered)
        until("answered triggers", lambda: len(self.answered) > seen + 50)

    def recorded(self) -> set[tuple[str, Entry]]:
        return {(each, found) for each in self._ids for found in self._store.canaries.history(each, limit=100_000)}

    def state_follows(self) -> bool:
        newest = {each: max(told.at for canary_id, told in self.answered if canary_id == each) for each in self._ids}
        return all(one.last_event_at == newest[one.id] for one in self._store.canaries.select(CanaryFilter()))


def _loses_nothing(server: Mongod, mishap: Callable[[], None]) -> None:
    with database_of(server) as database:
        store = open_store(server.uri, database.name, {})
        load = _Load(store)
        with load.running():
            mishap()
        try:
            assert load.failed == []
            assert set(load.answered) <= load.recorded()
            assert load.state_follows()
        finally:
            store.close()


def test_a_killed_server_loses_no_answered_trigger() -> None:
    with OwnMongod() as server:

        def mishap() -> None:
            server.kill()
            server.start()

        _loses_nothing(server, mishap)


def test_a_primary_that_steps_down_loses_no_answered_trigger(own_replica_set: OwnMongod) -> None:
    _loses_nothing(own_replica_set, own_replica_set.step_down)


def test_a_killed_primary_loses_no_answered_trigger(own_replica_set: OwnMongod) -> None:
    try:
        _loses_nothing(own_replica_set, own_replica_set.kill_primary)
    finally:
        own_replica_set.start_again()


def test_a_store_can_be_opened_before_its_server() -> None:
    with OwnMongod() as server:
        server.stop()
        store = open_store(server.uri, "coalmine_test_later", QUICK)
        with pytest.raises(StoreUnavailable), pymongo.timeout(0.3):
            store.canaries.get("nosuchid")
        server.start()
        one = canary()
        store.canaries.add(one, entry())

        assert store.canaries.get(one.id) == one
        store.close()


def test_a_trigger_that_cannot_be_committed_in_time_is_refused() -> None:
    with OwnMongod() as server:
        server.stop()
        with server.client(**QUICK) as client:
            database = client["coalmine_test_never"]
            commit = GroupCommit(database, History(database), lambda *_: None, patience=0.3)

            with pytest.raises(StoreUnavailable):
                commit.trigger("nosuchid", entry())
            commit.close()


def test_a_closed_store_refuses_triggers(mongod: Mongod) -> None:
    store = open_store(mongod.uri, "coalmine_test_closed", {})
    store.close()

    with pytest.raises(StoreUnavailable):
        store.canaries.trigger("nosuchid", entry())


def test_closing_twice_does_no_harm(mongod: Mongod) -> None:
    store = open_store(mongod.uri, "coalmine_test_closed", {})
    store.close()
    store.close()


def test_a_description_has_no_secrets() -> None:
    told = check("mongodb://jo:secret@db.example.com:27018/prod?authSource=admin", None, QUICK)

    assert "secret" not in told
    assert "prod at db.example.com:27018" in told


@pytest.mark.parametrize(
    ("hosts", "database", "options"),
    [
        ("localhost", "x", {"nosuchoption": 1}),
        ("mongodb://localhost/x?nosuchoption=1", None, {}),
        ("localhost", None, {}),
        ("localhost", "with.dots and spaces", {}),
        ("localhost:port", "x", {}),
        ("localhost", "x", {"username": "jo"}),
        ("localhost", "x", {"tls": "perhaps"}),
    ],
)
def test_wrong_options_are_told_at_once(hosts: str, database: str | None, options: dict[str, object]) -> None:
    with pytest.raises(Invalid, match="MongoDB"):
        open_store(hosts, database, options)


def test_blank_user_and_password_are_none() -> None:
    open_store("localhost", "coalmine_test_blank", {"username": "", "password": "", **QUICK}).close()


@pytest.mark.parametrize(("hosts", "database"), [("localhost:1", None), ("localhost:1", "with.dots"), ("localhost:port", "x")])
def test_settings_can_be_checked_without_a_server(hosts: str, database: str | None) -> None:
    check("localhost:1", "coalmine_test_check", {})

    with pytest.raises(Invalid, match="MongoDB"):
        check(hosts, database, {})
