"""Who notices that a background has stopped, when, and how often it is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coal_mine.background.heartbeat import BEAT, KEPT
from coal_mine.domain.alert import Kind
from coal_mine.domain.server import LEASE, Backgrounds
from tests.background.processes import MINUTE, OPS, RESUMED_ALPHA, STOPPED_ALPHA, World


def test_a_background_that_is_not_seen_for_a_lease_has_stopped(world: World) -> None:
    world.start("alpha", "beta")
    world.live(MINUTE)
    seen_at = world.clock.now() - BEAT
    world.stop("alpha")
    world.live(MINUTE)

    (alert,) = world.alerts()
    assert (alert.kind, alert.about, alert.at, alert.emails) == (Kind.STOPPED, "alpha|1|n", seen_at, OPS)
    assert alert.name == "background process 1 on alpha"


def test_a_moment_before_the_lease_ends_nothing_is_told(world: World) -> None:
    world.start("alpha", "beta")
    world.live(MINUTE)
    world.stop("alpha")
    world.live(LEASE - BEAT)

    assert world.told() == []


def test_those_who_live_are_not_told_of(world: World) -> None:
    world.start("alpha", "beta")
    world.live(10 * MINUTE)

    assert world.told() == []


def test_a_stop_is_told_once_however_many_notice_it(world: World) -> None:
    world.start("alpha", "beta", "gamma", "delta")
    world.live(MINUTE)
    world.stop("alpha")
    world.live(10 * MINUTE)

    assert world.told() == [STOPPED_ALPHA]


def test_the_sender_is_told_that_something_waits(world: World) -> None:
    world.start("alpha", "beta")
    world.live(MINUTE)
    world.stop("alpha")
    world.live(MINUTE)

    assert world.operators_told == 1


def test_a_clean_end_is_not_told(world: World) -> None:
    world.start("alpha", "beta")
    world.live(MINUTE)
    world.stop("alpha").end()
    world.live(MINUTE)

    assert world.told() == []


def test_after_a_clean_end_a_step_under_way_beats_no_more(world: World) -> None:
    heartbeat = world.start("alpha")
    world.beat("alpha")
    heartbeat.end()
    world.beat("alpha")

    assert world.store.servers.all() == []


def test_ending_before_the_first_beat_and_ending_twice_are_harmless(world: World) -> None:
    heartbeat = world.start("alpha")
    heartbeat.end()
    heartbeat.end()

    assert world.store.servers.all() == []


def test_a_process_that_only_answers_http_is_not_told_of_but_tells(world: World) -> None:
    world.start("alpha")
    world.start("web", "other web", background=False)
    world.live(MINUTE)
    world.stop("alpha")
    world.stop("other web")
    world.live(MINUTE)

    assert world.told() == [STOPPED_ALPHA]


def test_the_alert_says_whether_another_background_is_alive(world: World) -> None:
    world.start("alpha", "beta")
    world.start("web", background=False)
    world.live(MINUTE)
    world.stop("alpha")
    world.live(MINUTE)
    world.stop("beta")
    world.live(MINUTE)

    assert [(alert.about, alert.detail.split()[:2]) for alert in world.alerts()] == [
        ("alpha|1|n", ["Another", "background"]),
        ("beta|1|n", ["No", "other"]),
    ]


def test_without_operators_the_log_tells(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.start("alpha", "beta", operators=())
    world.live(MINUTE)
    world.stop("alpha")
    world.live(10 * MINUTE)

    assert [record.message.partition(";")[0] for record in caplog.records] == ["background process 1 on alpha has stopped"]
    assert caplog.records[0].levelname == "ERROR"
    assert world.told() == []


def test_a_process_that_goes_on_after_its_lease_is_told_to_be_back(world: World) -> None:
    world.start("alpha", "beta")
    world.live(MINUTE)
    alpha = world.stop("alpha")
    world.live(MINUTE)
    world.go_on("alpha", alpha)
    back_at = world.clock.now()
    world.live(10 * MINUTE)

    assert world.told() == [STOPPED_ALPHA, RESUMED_ALPHA]
    assert world.alerts()[1].at == back_at


def test_a_process_that_goes_on_within_its_lease_is_not_told_of(world: World) -> None:
    world.start("alpha", "beta")
    world.live(MINUTE)
    alpha = world.stop("alpha")
    world.live(LEASE - 2 * BEAT)
    world.go_on("alpha", alpha)
    world.live(MINUTE)

    assert world.told() == []


def test_each_stop_of_a_process_is_told_and_each_return(world: World) -> None:
    world.start("alpha", "beta")
    for _ in range(2):
        world.live(MINUTE)
        alpha = world.stop("alpha")
        world.live(MINUTE)
        world.go_on("alpha", alpha)
    world.live(MINUTE)

    assert world.told() == [STOPPED_ALPHA, RESUMED_ALPHA] * 2


def test_whoever_was_held_up_for_as_long_does_not_take_the_others_for_stopped(world: World) -> None:
    world.start("alpha", "beta")
    world.live(MINUTE)
    world.clock.move(MINUTE)  # for both of them the store was away
    world.live(MINUTE)

    assert world.told() == []


def test_a_process_that_has_just_started_waits_until_the_others_have_had_time_to_beat(world: World) -> None:
    world.start("alpha")
    world.live(MINUTE)
    alpha = world.stop("alpha")
    world.live(MINUTE)
    world.start("beta")
    world.live(2 * BEAT)
    world.go_on("alpha", alpha)
    world.live(MINUTE)

    assert world.told() == []


def test_a_stop_that_nobody_was_there_to_notice_is_told_after_the_next_start(world: World) -> None:
    world.start("alpha")
    world.live(MINUTE)
    world.stop("alpha")
    world.clock.move(3 * KEPT)
    world.start("beta")
    world.live(MINUTE)

    assert world.told() == [STOPPED_ALPHA]


def test_who_did_not_end_cleanly_is_forgotten_after_a_day(world: World) -> None:
    world.start("alpha", "beta")
    world.start("web", background=False)
    world.live(MINUTE)
    world.stop("alpha")
    world.stop("web")
    world.live(MINUTE)
    world.clock.move(KEPT - 4 * MINUTE)
    world.live(MINUTE)
    known = len(world.store.servers.all())
    world.live(3 * MINUTE)

    assert (known, len(world.store.servers.all())) == (3, 1)


def test_nothing_is_said_of_the_backgrounds_before_others_have_had_time_to_beat(world: World) -> None:
    beta = world.start("beta")
    world.live(2 * BEAT)

    assert beta.backgrounds is None


def test_what_is_said_of_the_backgrounds_follows_what_happens(world: World) -> None:
    web = world.start("web", background=False)
    world.live(MINUTE)
    found = [web.backgrounds]
    world.start("alpha", "beta")
    world.live(MINUTE)
    found.append(web.backgrounds)
    world.stop("alpha")
    world.live(MINUTE)
    found.append(web.backgrounds)
    world.start("alpha again")
    world.live(MINUTE)
    found.append(web.backgrounds)

    assert found == [
        Backgrounds(alive=0, stopped=0),
        Backgrounds(alive=2, stopped=0),
        Backgrounds(alive=1, stopped=1),
        Backgrounds(alive=2, stopped=0),
    ]


def test_a_stop_that_nothing_has_made_good_is_shown_for_an_hour(world: World) -> None:
    web = world.start("web", background=False)
    world.start("alpha", "beta")
    world.live(MINUTE)
    world.stop("alpha")
    world.live(timedelta(minutes=59))
    shown = web.backgrounds
    world.live(2 * MINUTE)

    assert shown == Backgrounds(alive=1, stopped=1)
    assert web.backgrounds == Backgrounds(alive=1, stopped=0)
