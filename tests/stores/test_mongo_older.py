"""Documents that an older version of this program wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymongo.database import Database

from coal_mine.stores.mongo.store import MongoStore
from tests.stores.job_examples import added_job, node

OpenStore = Callable[[], MongoStore]


def test_a_node_that_knew_of_no_runners_has_none(open_mongo_store: OpenStore, database: Database[dict[str, Any]]) -> None:
    store, one = open_mongo_store(), node()
    store.nodes.beat(one)
    database["nodes"].update_one({}, {"$unset": {"runners": ""}})

    assert store.nodes.all() == [one]


def test_nobody_knows_who_has_changed_a_job_before_that_was_noted(open_mongo_store: OpenStore, database: Database[dict[str, Any]]) -> None:
    store = open_mongo_store()
    one = added_job(store)
    database["jobs"].update_one({}, {"$unset": {"changed_by": ""}})

    assert store.jobs.get(one.id) == one
