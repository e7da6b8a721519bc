"""How long canaries wait for runs that are under way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from coal_mine.domain.run import Run
from tests.support.jobs import HOUR, MINUTE, SECOND, Scene


def under_way(scene: Scene, length: timedelta, **body: Any) -> Run:
    """A run that has lived for so long, its node too."""
    run = scene.start(scene.next_run(scene.job(schedules=[{"cron": "0 12 * * *"}, {"cron": "1 12 * * *"}], **body)))
    end = scene.now + length
    while scene.now < end:
        scene.node("alpha")
        scene.sweeper.run_once(scene.clock.move(min(15 * SECOND, end - scene.now)))
    return run


def test_the_canary_of_a_run_under_way_is_not_late_however_long_it_takes(scene: Scene) -> None:
    run = under_way(scene, 2 * HOUR)
    scene.store.canaries.mark_late(scene.now)

    assert not scene.canary_of(run).late


def test_it_is_late_when_the_run_takes_longer_than_somebody_said(scene: Scene) -> None:
    run = under_way(scene, HOUR, grace=600, start_deadline=60)
    scene.store.canaries.mark_late(scene.now)

    assert scene.canary_of(run).late


def test_a_run_with_a_limit_is_waited_for_until_then(scene: Scene) -> None:
    run = under_way(scene, MINUTE, timeout=3_600)
    deadline = scene.canary_of(run).deadline

    assert deadline is not None
    assert deadline - run.tick > HOUR


def test_a_canary_that_waits_for_a_run_is_late_after_the_run_has_vanished(scene: Scene) -> None:
    run = under_way(scene, HOUR)
    scene.clock.move(10 * MINUTE)
    scene.store.canaries.mark_late(scene.now)

    assert scene.canary_of(run).late
