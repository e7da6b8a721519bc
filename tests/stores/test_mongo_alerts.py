"""Races between alerts that only a store of several documents can have; each is played step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from coal_mine.domain.alert import Kind
from coal_mine.domain.canary import triggered
from coal_mine.stores.mongo.outbox import MongoOutbox
from coal_mine.stores.mongo.store import MongoStore
from tests.stores.examples import (
    CHANNELS,
    HOUR,
    LEASE,
    MILLISECOND,
    MUCH_LATER,
    NOW,
    SECOND,
    added,
    added_late,
    claimed,
    entry,
    finished,
    next_attempt,
    told,
)
from tests.support.mongod import Mongod

Documents = Database[dict[str, Any]]


@pytest.fixture
def store(open_mongo_store: Callable[[], MongoStore]) -> MongoStore:
    return open_mongo_store()


class TakeOver(CommandListener):
    """Gives the receiver to another holder as soon as it is claimed: the stamp was undone by a fail-over, and somebody else was faster."""

    def __init__(self, database: Documents) -> None:
        self._receivers = database["receivers"]

    def started(self, event: CommandStartedEvent) -> None:
        pass

    def succeeded(self, event: CommandSucceededEvent) -> None:
        if event.command_name == "findAndModify":
            self._receivers.update_one({}, {"$set": {"token": "another", "lease_until": NOW + 1_000 * HOUR}})

    def failed(self, event: CommandFailedEvent) -> None:
        pass


def _mark_as_leaving(database: Documents) -> None:
    """As an expansion does, before it copies the alerts."""
    database["canaries"].update_many({"owed.id": {"$exists": True}}, {"$set": {"owed.$[].leaving": True}})


def test_an_alert_that_is_leaving_cannot_be_withdrawn(store: MongoStore, database: Documents) -> None:
    one = added_late(store)
    change, _ = triggered(one, entry(NOW + HOUR - SECOND))
    _mark_as_leaving(database)

    assert change.withdraw
    assert not store.canaries.apply(change)


def test_a_trigger_in_time_that_finds_the_alert_leaving_owes_resumed(store: MongoStore, database: Documents) -> None:
    one = added_late(store)
    _mark_as_leaving(database)
    found = store.canaries.trigger(one.id, entry(NOW + HOUR - SECOND))

    assert found.recovered
    assert [alert.kind for alert in store.canaries.get(one.id).owed] == [Kind.RESUMED]


def test_what_an_expansion_that_died_marked_is_expanded_by_the_next(store: MongoStore, database: Documents) -> None:
    one = added_late(store)
    _mark_as_leaving(database)

    assert store.outbox.expand() == 1
    assert told(claimed(store)) == [(Kind.LATE, one.id)]


def test_what_an_expansion_that_died_had_copied_is_not_copied_again(store: MongoStore, database: Documents) -> None:
    added_late(store)
    before = database["canaries"].find_one() or {}
    store.outbox.expand()
    database["canaries"].update_one({}, {"$set": {"owed": before["owed"]}})
    store.outbox.expand()

    assert len(store.outbox.deliveries(limit=10)) == 1


def test_a_canary_that_is_marked_late_twice_at_one_time_owes_two_alerts_with_two_ids(store: MongoStore) -> None:
    """A trigger that was held up comes in between; even its new deadline has passed."""
    one = added(store, deadline=NOW + SECOND)
    at = NOW + 10 * HOUR
    store.canaries.mark_late(at)
    store.canaries.trigger(one.id, entry(NOW + 2 * SECOND))
    store.canaries.mark_late(at)
    owed = store.canaries.get(one.id).owed

    assert [alert.kind for alert in owed] == [Kind.LATE, Kind.RESUMED, Kind.LATE]
    assert len({alert.id for alert in owed}) == 3


def test_a_digest_whose_outcome_was_noted_is_not_sent_again(store: MongoStore, database: Documents) -> None:
    """A sender dies before it has marked the deliveries."""
    for _ in range(4):
        added_late(store)
    store.outbox.expand()
    first = claimed(store, "first", digest_above=3)
    outcome = {"state": "delivered", "finished_at": NOW + 2 * HOUR, "error": ""}
    database["receivers"].update_one({}, {"$set": {"batch.outcome": outcome}, "$unset": {"lease_until": ""}})

    assert first
    assert claimed(store, "second", digest_above=3) is None
    assert {each.finished_at for each in store.outbox.deliveries(limit=10)} == {NOW + 2 * HOUR}


def test_an_announcement_that_comes_late_is_forgotten(store: MongoStore, database: Documents) -> None:
    """An expansion announces what another one has announced, and a sender delivered, before."""
    added_late(store)
    store.outbox.expand()
    claim = claimed(store)
    assert claim
    finished(store, claim)
    store.outbox.release(claim, retry_at=None)
    database["receivers"].update_one({}, {"$set": {"waiting_since": NOW}, "$inc": {"seq": 1}})

    assert claimed(store, "second") is None
    assert next_attempt(store, NOW + 100 * HOUR) is None


def test_a_trigger_of_the_same_moment_does_not_recover_twice(store: MongoStore) -> None:
    one = added_late(store)
    same = entry(NOW + HOUR + MILLISECOND)
    first = store.canaries.trigger(one.id, same)
    again = store.canaries.trigger(one.id, same)

    assert (first.recovered, again.recovered) == (True, False)


@pytest.mark.parametrize("is_bound", [False, True], ids=["new", "bound before"])
def test_a_claim_that_a_fail_over_undid_is_none(
    store: MongoStore,
    mongod: Mongod,
    database: Documents,
    is_bound: bool,
) -> None:
    added_late(store)
    store.outbox.expand()
    if is_bound:
        first = claimed(store, "first")
        assert first
        store.outbox.release(first, retry_at=NOW)
    with mongod.client(event_listeners=[TakeOver(database)]) as client:
        outbox = MongoOutbox(client[database.name])
        assert outbox.claim(now=MUCH_LATER, lease=LEASE, token="second", digest_above=20, channels=CHANNELS) is None

    receiver = database["receivers"].find_one() or {}
    assert (receiver["token"], "batch" in receiver) == ("another", is_bound)
