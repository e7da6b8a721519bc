"""The time of the primary."""

from __future__ import annotations

from datetime import UTC

from coal_mine.clock import SystemClock
from coal_mine.stores.mongo.store import open_store
from tests.support.mongod import Mongod


def test_the_store_tells_the_primarys_time_in_utc(replica_set: Mongod) -> None:
    store = open_store(replica_set.uri, "coalmine_test_time", {})
    before, told, after = SystemClock().now(), store.now(), SystemClock().now()
    store.close()

    assert told.tzinfo is not None
    assert told.utcoffset() == UTC.utcoffset(None)
    assert before <= told <= after
