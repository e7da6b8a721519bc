from __future__ import annotations

from dataclasses import replace

import pytest

from coal_mine.domain.alert import Kind
from coal_mine.domain.canary import Update, paused, triggered, unpaused, updated
from coal_mine.domain.errors import Conflict, NotFound
from coal_mine.domain.periodicity import Every, InWindows, OnSchedule, Periodicity
from coal_mine.domain.ports import Store
from tests.stores.examples import HOUR, NOW, SECOND, added, added_late, added_paused, canary, entry, texts


def test_a_change_is_written(store: Store) -> None:
    one = added(store)
    change = updated(one, Update(name="New", slug="new", description="about", emails=("x@example.com", "y@example.com")), NOW)

    assert store.canaries.apply(change)
    assert store.canaries.get(one.id) == change.after


def test_a_pause_is_written_with_its_entry(store: Store) -> None:
    one = added(store)
    change = paused(one, entry(NOW + SECOND, "Paused (holidays)"))

    assert store.canaries.apply(change)
    assert store.canaries.get(one.id) == change.after
    assert texts(store, one.id) == ["Paused (holidays)", "Canary created"]


def test_an_unpause_is_written(store: Store) -> None:
    one = added_paused(store)
    change = unpaused(one, entry(NOW + HOUR, "Unpaused"))

    assert store.canaries.apply(change)
    assert store.canaries.get(one.id) == change.after


def test_a_change_that_depends_on_what_has_changed_is_not_written(store: Store) -> None:
    one = added(store)
    pause = paused(one, entry(NOW + SECOND, "Paused"))
    store.canaries.trigger(one.id, entry(NOW + 2 * SECOND))
    before = store.canaries.get(one.id)

    assert not store.canaries.apply(pause)
    assert store.canaries.get(one.id) == before


def test_a_change_that_lost_its_race_leaves_no_entry(store: Store) -> None:
    one = added(store)
    pause = paused(one, entry(NOW + SECOND, "Paused"))
    store.canaries.trigger(one.id, entry(NOW + 2 * SECOND))
    store.canaries.apply(pause)

    assert "Paused" not in texts(store, one.id)


def test_a_change_of_other_fields_does_not_mind(store: Store) -> None:
    one = added(store)
    rename = updated(one, Update(name="New", slug="new"), NOW)
    store.canaries.trigger(one.id, entry(NOW + SECOND))

    assert store.canaries.apply(rename)
    found = store.canaries.get(one.id)
    assert (found.name, found.deadline) == ("New", NOW + SECOND + HOUR)


def test_a_change_of_an_unknown_canary_is_refused(store: Store) -> None:
    with pytest.raises(NotFound):
        store.canaries.apply(paused(canary(), entry()))


def test_a_taken_slug_is_refused_with_its_holders_id(store: Store) -> None:
    holder, one = added(store), added(store)

    with pytest.raises(Conflict, match=holder.id):
        store.canaries.apply(updated(one, Update(name=holder.name, slug=holder.slug), NOW))

    assert store.canaries.get(one.id) == one


@pytest.mark.parametrize("old", [Every(60), InWindows("* * * * * 60"), OnSchedule("@daily")])
@pytest.mark.parametrize("new", [Every(90), InWindows("* * * * * 90"), OnSchedule("@hourly", 5, "Asia/Tokyo")])
def test_any_periodicity_can_follow_any_other(store: Store, old: Periodicity, new: Periodicity) -> None:
    one = added(store, periodicity=old, deadline=old.deadline_after(NOW))
    change = updated(one, Update(periodicity=new), NOW)

    assert store.canaries.apply(change)
    assert store.canaries.get(one.id) == change.after


def test_a_shorter_periodicity_makes_late_and_owes_late(store: Store) -> None:
    one = added(store)
    assert store.canaries.apply(updated(one, Update(periodicity=Every(60)), NOW + 61 * SECOND))
    found = store.canaries.get(one.id)

    assert found.late
    assert [alert.kind for alert in found.owed] == [Kind.LATE]


def test_what_is_owed_keeps_its_order(store: Store) -> None:
    one = added_late(store)
    assert store.canaries.apply(updated(one, Update(periodicity=Every(7200)), NOW + HOUR))

    assert [alert.kind for alert in store.canaries.get(one.id).owed] == [Kind.LATE, Kind.RESUMED]


def test_an_owed_alert_comes_back_complete(store: Store) -> None:
    one = added(store, emails=("é@example.com", "b@example.com"))
    change = updated(one, Update(periodicity=Every(60)), NOW + 61 * SECOND)
    store.canaries.apply(change)

    assert store.canaries.get(one.id).owed == change.owe


def test_an_alert_that_has_left_cannot_be_withdrawn(store: Store) -> None:
    one = added_late(store)
    change, _ = triggered(one, entry(NOW + HOUR - SECOND))
    store.outbox.expand()

    assert change.withdraw
    assert not store.canaries.apply(change)
    assert store.canaries.get(one.id).late


def test_an_event_that_changes_nothing_enters_the_history(store: Store) -> None:
    one = added(store)
    change, _ = triggered(one, entry(NOW - SECOND, "Triggered (slow)"))

    assert store.canaries.apply(change)
    assert "Triggered (slow)" in texts(store, one.id)


def test_a_change_may_touch_nothing_that_it_does_not_name(store: Store) -> None:
    one = added_late(store)
    assert store.canaries.apply(updated(replace(one, owed=()), Update(description="new"), NOW))

    assert store.canaries.get(one.id).owed == one.owed
