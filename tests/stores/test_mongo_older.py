"""Documents that an older version of this program wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pymongo.database import Database

from coal_mine.domain.job import Definition, Runner
from coal_mine.stores.mongo.store import MongoStore
from tests.stores.job_examples import added_job, job, node
from tests.stores.run_examples import run

OpenStore = Callable[[], MongoStore]


def test_a_node_that_knew_of_no_runners_has_none(open_mongo_store: OpenStore, database: Database[dict[str, Any]]) -> None:
    store, one = open_mongo_store(), node()
    store.nodes.beat(one)
    database["nodes"].update_one({}, {"$unset": {"runners": ""}})

    assert store.nodes.all() == [one]


def test_a_node_that_knows_of_no_runners_gets_nothing_that_needs_one(
    open_mongo_store: OpenStore, database: Database[dict[str, Any]]
) -> None:
    """It would start the job's empty command, and call that a success."""
    calling = Definition(name="Stop", runner=Runner.INSTANCE, runner_name="power")
    open_mongo_store().runs.add([run(id="any", definition=calling), run(id="own", definition=calling, slot="node-1"), run(id="shell")])
    asked_for = {"takers": {"$in": ["any|default", "node-1|default"]}}  # by the older version

    assert [found["_id"] for found in database["runs"].find(asked_for)] == ["shell"]


def test_nobody_knows_who_has_changed_a_job_before_that_was_noted(open_mongo_store: OpenStore, database: Database[dict[str, Any]]) -> None:
    store = open_mongo_store()
    one = added_job(store)
    database["jobs"].update_one({}, {"$unset": {"changed_by": "", "changed_by_of": ""}})

    assert store.jobs.get(one.id) == one


def test_nobody_knows_who_has_changed_a_job_through_a_server_that_does_not_note_it(
    open_mongo_store: OpenStore, database: Database[dict[str, Any]]
) -> None:
    store = open_mongo_store()
    one = replace(job(), changed_by="jo")
    store.jobs.add(one)
    database["jobs"].update_one({}, {"$set": {"version": 2}})

    assert store.jobs.get(one.id) == replace(one, version=2, changed_by="")
