"""Servers that share a store take its time for theirs."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from coal_mine.clock import SharedClock, SystemClock, monotonic
from coal_mine.domain.errors import StoreUnavailable

YEARS_AGO = datetime(2015, 3, 19, 2, 8, 44, 885_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def aligned(store_time: datetime, *, round_trip: float = 0.0) -> SharedClock:
    clock = SharedClock()
    now = monotonic()
    clock.align(store_time, now - round_trip, now)
    return clock


def test_the_time_is_the_stores_and_goes_on() -> None:
    clock = aligned(YEARS_AGO)
    first, second = clock.now(), clock.now()

    assert YEARS_AGO - timedelta(milliseconds=1) <= first <= second < YEARS_AGO + timedelta(minutes=5)


def test_half_the_way_to_the_store_and_back_counts() -> None:
    clock = aligned(YEARS_AGO, round_trip=600.0)

    assert clock.now() >= YEARS_AGO + timedelta(seconds=300)


def test_the_skew_is_how_far_this_machine_is_ahead() -> None:
    ahead = aligned(SystemClock().now() - 30 * SECOND).skew

    assert ahead is not None
    assert 29 * SECOND < ahead < 31 * SECOND + timedelta(minutes=1)


def test_a_measurement_that_agrees_within_its_error_does_not_shake_the_clock() -> None:
    clock = aligned(YEARS_AGO, round_trip=0.002)
    before = clock.skew
    now = monotonic()
    clock.align(clock.now() - 3 * SECOND, now - 10.0, now)  # two seconds off, by a way of ten
    after = clock.skew

    assert before is not None
    assert after is not None
    assert abs(after - before) < SECOND


def test_a_measurement_that_contradicts_the_clock_sets_it() -> None:
    clock = aligned(YEARS_AGO)
    now = monotonic()
    clock.align(YEARS_AGO + timedelta(hours=1), now, now)

    assert clock.now() >= YEARS_AGO + timedelta(hours=1)


def test_whoever_asks_before_the_store_has_told_its_time_waits_for_it() -> None:
    clock = SharedClock()
    told: list[datetime] = []
    asking = threading.Thread(target=lambda: told.append(clock.now()))
    asking.start()
    now = monotonic()
    clock.align(YEARS_AGO, now, now)
    asking.join()

    assert told[0] >= YEARS_AGO


def test_a_server_that_stops_lets_nobody_wait_for_the_time() -> None:
    clock = SharedClock()
    clock.stop()

    with pytest.raises(StoreUnavailable):
        clock.now()
