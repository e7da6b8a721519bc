"""The thread around a step: it goes on after faults, wakes when called, and stops."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from coal_mine.background.loop import Loop
from coal_mine.clock import SystemClock
from coal_mine.domain.errors import StoreUnavailable
from tests.support.waiting import PATIENCE

AN_HOUR = timedelta(hours=1)


class Steps:
    """Does one thing after another, then nothing more."""

    def __init__(self, *things: Callable[[], None]) -> None:
        self._things = list(things)
        self.done = threading.Semaphore(0)

    def run_once(self, now: datetime) -> datetime | None:
        thing = self._things.pop(0) if self._things else lambda: None
        try:
            thing()
        finally:
            self.done.release()
        return now + AN_HOUR


def run(steps: Steps) -> Loop:
    loop = Loop("test", steps, SystemClock(), max_sleep=AN_HOUR)
    loop.start()
    return loop


def end(loop: Loop) -> bool:
    loop.tell_to_stop()
    return loop.join(PATIENCE)


def fault(error: Exception) -> Callable[[], None]:
    def raise_it() -> None:
        raise error

    return raise_it


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), ZeroDivisionError("a bug")], ids=["store away", "bug"])
def test_it_goes_on_after_a_fault(error: Exception) -> None:
    steps = Steps(fault(error))
    loop = run(steps)

    assert steps.done.acquire(timeout=PATIENCE)
    assert steps.done.acquire(timeout=PATIENCE)
    assert end(loop)


def test_it_wakes_when_called_although_its_time_has_not_come() -> None:
    steps = Steps()
    loop = run(steps)

    assert steps.done.acquire(timeout=PATIENCE)
    loop.wake()
    assert steps.done.acquire(timeout=PATIENCE)
    assert end(loop)


def test_stopping_waits_for_the_step_under_way() -> None:
    entered, goes_on, finished = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        entered.set()
        goes_on.wait(PATIENCE)
        finished.set()

    loop = run(Steps(work))
    assert entered.wait(PATIENCE)
    loop.tell_to_stop()
    left_too_early = loop.join(0.0)
    goes_on.set()

    assert not left_too_early
    assert loop.join(PATIENCE)
    assert finished.is_set()


def test_it_may_be_stopped_twice_and_before_it_was_started() -> None:
    loop = Loop("test", Steps(), SystemClock())

    assert end(loop)
    assert end(loop)


def test_it_does_nothing_after_it_was_stopped() -> None:
    steps = Steps()
    loop = run(steps)
    assert steps.done.acquire(timeout=PATIENCE)
    assert end(loop)
    loop.wake()

    assert not steps.done.acquire(blocking=False)
