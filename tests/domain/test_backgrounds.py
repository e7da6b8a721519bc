"""How many backgrounds are alive, and which stops still count."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from coal_mine.domain.server import LEASE, SHOWN, Backgrounds, Server, backgrounds
from tests.domain.samples import HOUR, NOW, SECOND

MINUTE = 60 * SECOND


def background(*, started_at: datetime, seen_at: datetime, is_background: bool = True) -> Server:
    return Server(
        id=f"alpha|{started_at}", host="alpha", pid=1, background=is_background, version="1.0", started_at=started_at, seen_at=seen_at
    )


def alive(*, since: datetime) -> Server:
    return background(started_at=since, seen_at=NOW)


def dead(*, at: datetime) -> Server:
    return background(started_at=NOW - 9 * HOUR, seen_at=at)


def counted(*servers: Server) -> Backgrounds:
    return backgrounds(servers, NOW, LEASE)


def test_a_background_is_alive_until_its_lease_is_over() -> None:
    last_moment = background(started_at=NOW - HOUR, seen_at=NOW - LEASE + SECOND / 1_000)
    over = background(started_at=NOW - HOUR, seen_at=NOW - LEASE)

    assert counted(last_moment, over) == Backgrounds(alive=1, stopped=1)


def test_processes_that_only_answer_http_do_not_count() -> None:
    web = background(started_at=NOW - HOUR, seen_at=NOW, is_background=False)
    dead_web = background(started_at=NOW - HOUR, seen_at=NOW - MINUTE, is_background=False)

    assert counted(web, dead_web) == Backgrounds(alive=0, stopped=0)


def test_one_that_was_there_before_does_not_make_up_for_a_stop() -> None:
    assert counted(dead(at=NOW - 5 * MINUTE), alive(since=NOW - 6 * MINUTE)).stopped == 1


def test_one_that_has_started_since_makes_up_for_one_stop() -> None:
    stops = [dead(at=NOW - 5 * MINUTE), dead(at=NOW - 4 * MINUTE)]

    assert [counted(*stops, *[alive(since=NOW - MINUTE)] * count).stopped for count in range(4)] == [2, 1, 0, 0]


def test_a_stop_stays_made_good_when_its_replacement_has_stopped_and_was_replaced_itself() -> None:
    replacement = background(started_at=NOW - 4 * MINUTE, seen_at=NOW - 3 * MINUTE)

    assert counted(dead(at=NOW - 5 * MINUTE), replacement, alive(since=NOW - 2 * MINUTE)).stopped == 0


def test_no_start_makes_up_for_the_stop_of_the_same_process() -> None:
    assert counted(background(started_at=NOW - MINUTE, seen_at=NOW - 2 * MINUTE)).stopped == 1


def test_a_start_between_two_stops_makes_up_for_the_first() -> None:
    assert counted(dead(at=NOW - 5 * MINUTE), dead(at=NOW - 2 * MINUTE), alive(since=NOW - 3 * MINUTE)).stopped == 1


@pytest.mark.parametrize(("ago", "stopped"), [(SHOWN - SECOND, 1), (SHOWN, 0)])
def test_a_stop_counts_for_an_hour(ago: timedelta, stopped: int) -> None:
    assert counted(dead(at=NOW - ago)).stopped == stopped
