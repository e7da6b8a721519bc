"""What goes in comes out, with the same types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from coal_mine.domain.canary import Entry
from coal_mine.domain.periodicity import Every, InWindows, OfJob, OnSchedule, Periodicity
from coal_mine.domain.ports import Store
from coal_mine.domain.schedules.interval import Interval
from coal_mine.domain.times import END_OF_TIME
from tests.stores.examples import NOW, added, canary, entry

_UNICODE = 'Müller\'s $where.{}[] \u202e naïve ☃ 你好 🐤 {"$ne": 1} %s \' " \\ --'


@pytest.mark.parametrize(
    "periodicity",
    [
        Every(3600),
        Every(0.5),
        Every(3_162_240_000),
        InWindows("* 0-12 * * mon-fri 300 ; # night\n* 13-23 * * mon-fri 90.5"),
        OnSchedule("0 2 * * *", 1800, "Europe/Paris"),
        OnSchedule("@daily", 0.25, "UTC"),
        OfJob("shop:backup", (Interval.parse({"every": 300}, field="schedule", now=NOW, timezone="UTC"),), 90, 7),
    ],
)
def test_a_periodicity_comes_back_as_it_was(store: Store, periodicity: Periodicity) -> None:
    one = added(store, periodicity=periodicity)

    assert store.canaries.get(one.id).periodicity == periodicity


@pytest.mark.parametrize(("seconds", "kind"), [(3600, int), (3600.5, float)])
def test_whole_seconds_stay_whole(store: Store, seconds: float, kind: type) -> None:
    one = added(store, periodicity=Every(seconds))
    found = store.canaries.get(one.id).periodicity

    assert isinstance(found, Every)
    assert type(found.seconds) is kind


@pytest.mark.parametrize("field", ["name", "description", "slug"])
def test_any_text_comes_back_as_it_was(store: Store, field: str) -> None:
    one = added(store, **{field: _UNICODE})

    assert getattr(store.canaries.get(one.id), field) == _UNICODE


def test_addresses_keep_their_order(store: Store) -> None:
    addresses = ("zoe@example.com", "$jo.x@example.com", "al@example.com")
    one = added(store, emails=addresses)

    assert store.canaries.get(one.id).emails == addresses


def test_no_addresses_are_none(store: Store) -> None:
    one = added(store, emails=())

    assert store.canaries.get(one.id).emails == ()


def test_a_paused_canary_has_no_deadline(store: Store) -> None:
    one = added(store, paused=True, deadline=None)

    assert store.canaries.get(one.id).deadline is None


def test_the_end_of_time_is_a_deadline(store: Store) -> None:
    one = added(store, deadline=END_OF_TIME)

    assert store.canaries.get(one.id).deadline == END_OF_TIME


def test_times_of_another_zone_come_back_as_the_same_moment_in_utc(store: Store) -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    one = canary(deadline=there, last_event_at=there)
    store.canaries.add(one, Entry(there, "Canary created", "nonce"))
    found = store.canaries.get(one.id)

    assert found.deadline == NOW
    assert found.deadline.utcoffset() == timedelta()
    assert store.canaries.history(one.id, limit=1) == [Entry(NOW, "Canary created", "nonce")]


def test_milliseconds_are_kept(store: Store) -> None:
    at = datetime(2026, 3, 29, 1, 30, 0, 999_000, tzinfo=UTC)
    one = added(store, last_event_at=at)

    assert store.canaries.get(one.id).last_event_at == at


def test_an_entry_comes_back_with_its_text_and_nonce(store: Store) -> None:
    one = added(store)
    told = entry(NOW, f"Triggered ({_UNICODE}\nsecond line)")
    store.canaries.trigger(one.id, told)

    assert told in store.canaries.history(one.id, limit=10)
