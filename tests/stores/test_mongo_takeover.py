"""A database that the predecessor wrote goes on working in place."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database

from coal_mine.domain.alert import LOG, Kind
from coal_mine.domain.canary import Canary, Entry, Triggered, Update, unpaused, updated
from coal_mine.domain.errors import Invalid
from coal_mine.domain.periodicity import Every, InWindows
from coal_mine.domain.ports import CanaryFilter
from coal_mine.stores.mongo.store import MongoStore
from tests.stores.examples import HOUR, MILLISECOND, NOW, SECOND, added, at_once, entry, pruning_entry, texts
from tests.stores.predecessor import document, history, make_indexes
from tests.support.waiting import until

Documents = Database[dict[str, Any]]
Open = Callable[[], MongoStore]


@pytest.fixture
def store(open_mongo_store: Open) -> MongoStore:
    return open_mongo_store()


def _move(store: MongoStore) -> None:
    store.move_histories(threading.Event())


def test_a_canary_is_read_as_it_was(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document("backup", description="nightly"))

    assert store.canaries.get("backupxx") == Canary(
        id="backupxx",
        name="backup",
        slug="backup",
        description="nightly",
        periodicity=Every(7200),
        emails=("jo@example.com",),
        paused=False,
        late=False,
        deadline=NOW + HOUR,
        last_event_at=NOW - HOUR,
    )


def test_a_paused_and_late_canary_stays_readable(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(paused=True, late=True, deadline=None))
    (found,) = store.canaries.select(CanaryFilter(paused=True, late=True))

    assert (found.paused, found.late, found.deadline) == (True, True, None)


def test_a_canary_without_history_was_last_heard_of_at_its_creation(store: MongoStore, database: Documents) -> None:
    inserted = database["canaries"].insert_one(document(history=[])).inserted_id

    assert store.canaries.get("backupxx").last_event_at == inserted.generation_time


@pytest.mark.parametrize("text", ["* * * * * 60 ; * * * * mon 90", "* * * * * nan", "* 0-5 * * * 60; * * * 60"])
def test_a_schedule_that_is_refused_today_is_still_shown(store: MongoStore, database: Documents, text: str) -> None:
    database["canaries"].insert_one(document(periodicity=text))

    assert store.canaries.get("backupxx").periodicity == InWindows(text)


def test_overlapping_windows_go_on_working(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(periodicity="* * * * * 60 ; * * * * sun 90"))
    store.canaries.trigger("backupxx", entry(NOW))

    assert store.canaries.get("backupxx").deadline == NOW + 60 * SECOND


def test_a_periodicity_beyond_the_calendar_means_never(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(periodicity=3e9 * 1e6))
    store.canaries.trigger("backupxx", entry(NOW))
    found = store.canaries.get("backupxx").deadline

    assert found
    assert found.year == 9999


def test_a_trigger_of_an_unreadable_schedule_keeps_its_last_distance(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(periodicity="no such thing"))
    found = store.canaries.trigger("backupxx", entry(NOW))

    assert found == Triggered(recovered=False, unpaused=False)
    assert store.canaries.get("backupxx").deadline == NOW + 2 * HOUR
    assert texts(store, "backupxx")[0] == "Triggered"


def test_an_unreadable_schedule_stays_as_it_is_until_somebody_corrects_it(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(periodicity="no such thing"))
    store.canaries.trigger("backupxx", entry(NOW))
    one = store.canaries.get("backupxx")

    assert one.periodicity == InWindows("no such thing")
    assert store.canaries.apply(updated(one, Update(periodicity=Every(60)), NOW))


def test_a_paused_canary_with_an_unreadable_schedule_gets_a_day(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(periodicity="no such thing", paused=True, deadline=None))
    store.canaries.trigger("backupxx", entry(NOW))

    assert store.canaries.get("backupxx").deadline == NOW + 24 * HOUR


def test_an_unreadable_schedule_is_logged_once(store: MongoStore, database: Documents, caplog: pytest.LogCaptureFixture) -> None:
    database["canaries"].insert_one(document(periodicity="no such thing"))
    for number in range(3):
        store.canaries.trigger("backupxx", entry(NOW + number * SECOND))

    assert [record.levelno for record in caplog.records if "backupxx" in record.getMessage()] == [logging.ERROR]


def test_unpausing_with_an_unreadable_schedule_says_what_is_wrong(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(periodicity="no such thing", paused=True, deadline=None))

    with pytest.raises(Invalid, match="no such thing"):
        unpaused(store.canaries.get("backupxx"), entry(NOW))


def test_an_old_canary_can_be_triggered_before_its_history_is_moved(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document())
    store.canaries.trigger("backupxx", entry(NOW, "Triggered (new)"))

    assert texts(store, "backupxx") == ["Triggered (new)", "Triggered", "Canary created"]
    assert store.canaries.get("backupxx").last_event_at == NOW


def test_an_old_canary_can_be_marked_late(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document())

    assert store.canaries.mark_late(NOW + HOUR) == 1
    assert [alert.kind for alert in store.canaries.get("backupxx").owed] == [Kind.LATE]


def test_an_old_canary_can_be_changed(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document())
    change = updated(store.canaries.get("backupxx"), Update(periodicity=Every(60)), NOW)

    assert store.canaries.apply(change)
    assert store.canaries.get("backupxx") == change.after or set(change.owe) <= set(store.canaries.get("backupxx").owed)


def test_the_history_is_the_same_before_and_after_moving(store: MongoStore, database: Documents) -> None:
    old = history(*[NOW - number * MILLISECOND // 2 for number in range(2_000)])
    database["canaries"].insert_one(document(history=[[at.replace(microsecond=at.microsecond // 1000 * 1000), text] for at, text in old]))
    before = store.canaries.history("backupxx", limit=10_000)
    _move(store)

    assert [each.text for each in before] == [text for _, text in old]
    assert store.canaries.history("backupxx", limit=10_000) == before
    assert "history" not in (database["canaries"].find_one() or {})


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_limits_hold_for_both_shapes_together(store: MongoStore, database: Documents, limit: int) -> None:
    database["canaries"].insert_one(document())
    store.canaries.trigger("backupxx", entry(NOW, "Triggered (new)"))
    expected = ["Triggered (new)", "Triggered", "Canary created"][:limit]

    assert [each.text for each in store.canaries.history("backupxx", limit=limit)] == expected
    assert [each.text for each in store.canaries.histories(["backupxx"], limit=limit)["backupxx"]] == expected


def test_the_end_of_a_range_holds_for_an_old_history(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document())

    assert [each.text for each in store.canaries.history("backupxx", limit=9, until=NOW - 2 * HOUR)] == ["Canary created"]


def test_a_history_that_was_moved_halfway_is_seen_once(store: MongoStore, database: Documents) -> None:
    """A process dies between the copy and the removal."""
    one = document()
    database["canaries"].insert_one(dict(one))
    _move(store)
    database["canaries"].update_one({}, {"$set": {"history": one["history"]}})

    assert texts(store, "backupxx") == ["Triggered", "Canary created"]
    _move(store)
    assert texts(store, "backupxx") == ["Triggered", "Canary created"]


def test_moving_notes_the_newest_event(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document())
    _move(store)

    assert (database["canaries"].find_one() or {})["last_event_at"] == NOW - HOUR


def test_moving_does_not_set_the_newest_event_back(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document())
    store.canaries.trigger("backupxx", entry(NOW))
    _move(store)

    assert store.canaries.get("backupxx").last_event_at == NOW


def test_an_empty_history_is_moved_too(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(history=[]))
    _move(store)

    assert "history" not in (database["canaries"].find_one() or {})


def test_several_processes_may_move_while_triggers_arrive(open_mongo_store: Open, database: Documents) -> None:
    stores = [open_mongo_store() for _ in range(3)]
    names = [f"n{number}" for number in range(60)]
    database["canaries"].insert_many([document(name) for name in names])
    ids = [each["id"] for each in database["canaries"].find()]
    triggers = [lambda some=ids[first::4]: [stores[0].canaries.trigger(each, entry(NOW)) for each in some] for first in range(4)]
    results = at_once([*[lambda each=each: _move(each) for each in stores], *triggers])

    assert not [result for result in results if isinstance(result, Exception)]
    assert database["canaries"].count_documents({"history": {"$exists": True}}) == 0
    assert {tuple(texts(stores[1], each)) for each in ids} == {("Triggered", "Triggered", "Canary created")}


def test_moving_stops_when_told(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document())
    stop = threading.Event()
    stop.set()
    store.move_histories(stop)

    assert "history" in (database["canaries"].find_one() or {})


def test_a_removed_canary_takes_its_old_history_along(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document())
    store.canaries.remove("backupxx")

    assert store.canaries.history("backupxx", limit=10) == []


def test_a_mail_that_was_still_to_be_sent_becomes_owed(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_many([document("gone", notify=True, late=True, deadline=NOW - HOUR), document("back", notify=True)])
    store.take_over(NOW)
    owed = {canary.name: [(alert.kind, alert.deadline) for alert in canary.owed] for canary in store.canaries.select(CanaryFilter())}

    assert owed == {"gone": [(Kind.LATE, NOW - HOUR)], "back": [(Kind.RESUMED, NOW + HOUR)]}


def test_an_owed_mail_of_a_paused_canary_has_no_deadline(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(notify=True, late=True, paused=True, deadline=None))
    store.take_over(NOW)

    assert [(alert.kind, alert.deadline) for alert in store.canaries.get("backupxx").owed] == [(Kind.LATE, None)]


def test_a_mail_to_nobody_is_owed_to_the_log(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(notify=True, emails=[]))
    store.take_over(NOW)

    assert [alert.receivers for alert in store.canaries.get("backupxx").owed] == [(LOG,)]


def test_taking_over_twice_owes_once(open_mongo_store: Open, database: Documents) -> None:
    stores = [open_mongo_store() for _ in range(3)]
    database["canaries"].insert_many([document(f"n{number}", notify=True) for number in range(50)])
    at_once([lambda each=each: each.take_over(NOW) for each in stores])

    assert {len(each.owed) for each in stores[0].canaries.select(CanaryFilter())} == {1}


def test_a_late_canary_with_a_deadline_to_come_is_watched_again(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(late=True))
    store.take_over(NOW)
    found = store.canaries.get("backupxx")

    assert (found.late, found.owed) == (False, ())
    assert store.canaries.mark_late(NOW + HOUR) == 1


def test_a_late_canary_whose_deadline_has_passed_stays_late(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(late=True, deadline=NOW - HOUR))
    store.take_over(NOW)

    assert store.canaries.get("backupxx").late


def test_a_canary_of_ours_is_left_alone(store: MongoStore) -> None:
    one = added(store, late=True)
    store.take_over(NOW)

    assert store.canaries.get(one.id) == one


def test_a_canary_that_is_full_to_the_brim_is_triggered_all_the_same(store: MongoStore, database: Documents) -> None:
    _insert_full(database)
    at_once([lambda: store.canaries.trigger("fullxxxx", entry(NOW)), lambda: added(store)])

    assert store.canaries.get("fullxxxx").last_event_at == NOW


def test_a_canary_that_is_full_to_the_brim_does_not_keep_others_from_being_marked_late(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document("before"))
    _insert_full(database)
    database["canaries"].insert_one(document("after"))

    store.canaries.mark_late(NOW + HOUR)
    assert all(canary.late for canary in store.canaries.select(CanaryFilter()))


def _insert_full(database: Documents) -> None:
    """A document as large as MongoDB allows, as comments without a limit could make it."""
    full = document("full", history=[[NOW - timedelta(seconds=number), "x" * 60_000] for number in range(279)])
    database["canaries"].insert_one(full)
    size = next(iter(database["canaries"].aggregate([{"$match": {"id": "fullxxxx"}}, {"$project": {"size": {"$bsonSize": "$$ROOT"}}}])))[
        "size"
    ]
    database["canaries"].update_one({"id": "fullxxxx"}, {"$set": {"description": "x" * (16 * 1024 * 1024 - size)}})


def test_an_old_entry_can_be_pruned(store: MongoStore, database: Documents) -> None:
    database["canaries"].insert_one(document(history=history(*[NOW - number * SECOND for number in range(150)])))
    _move(store)
    newest: Entry = pruning_entry(NOW + timedelta(days=8))
    store.canaries.trigger("backupxx", newest)

    until("the pruning", lambda: len(texts(store, "backupxx")) == 100)


def test_the_predecessors_indexes_make_room_for_fewer(open_mongo_store: Open, database: Documents) -> None:
    make_indexes(database)
    open_mongo_store()

    until("the indexes", lambda: not {"paused_1_deadline_1", "late_1_deadline_1"} & database["canaries"].index_information().keys())
    assert {"id_1", "slug_1", "paused_1_late_1_deadline_1", "owed.id_1"} <= database["canaries"].index_information().keys()


def test_an_index_that_is_not_unique_is_rebuilt(open_mongo_store: Open, database: Documents) -> None:
    make_indexes(database, unique_id=False)
    open_mongo_store()

    until("the index", lambda: database["canaries"].index_information().get("id_1", {}).get("unique"))
