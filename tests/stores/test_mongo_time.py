"""The time of the primary."""

from __future__ import annotations

import threading
from datetime import UTC

from coal_mine.clock import SystemClock
from coal_mine.stores.mongo.store import open_store
from tests.support.mongod import OwnMongod
from tests.support.waiting import PATIENCE


def test_the_store_tells_the_primarys_time_in_utc(own_replica_set: OwnMongod) -> None:
    store = open_store(own_replica_set.uri, "coalmine_test_time", {})
    before, told, after = SystemClock().now(), store.now(), SystemClock().now()
    store.close()

    assert told.tzinfo is not None
    assert told.utcoffset() == UTC.utcoffset(None)
    assert before <= told <= after


def test_another_primary_is_noticed_at_once(own_replica_set: OwnMongod) -> None:
    noticed = threading.Event()
    store = open_store(own_replica_set.uri, "coalmine_test_time", {})
    store.now()
    store.on_new_primary(noticed.set)
    own_replica_set.step_down()

    assert noticed.wait(PATIENCE)
    store.close()


def test_a_standalone_server_that_was_started_again_is_noticed() -> None:
    noticed = threading.Event()
    with OwnMongod() as server:
        store = open_store(server.uri, "coalmine_test_time", {})
        store.now()
        store.on_new_primary(noticed.set)
        server.kill()
        server.start()

        assert noticed.wait(PATIENCE)
        store.close()
