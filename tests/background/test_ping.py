"""When a ping is sent, and when there must be none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from coal_mine.background.ping import ObservedChannel, Ping, Tries
from coal_mine.domain.errors import DeliveryFailed, DeliveryRefused
from coal_mine.domain.message import Message
from tests.support.edges import NOW, Letterbox

INTERVAL = timedelta(seconds=60)
MESSAGE = Message(id="an id", at=NOW, subject="a subject", body="a body", told=("a line",))
JUST_NOW, LONG_AGO = 0.0, 3_600.0


class Outside:
    """Counts the pings; `fault` is raised instead."""

    def __init__(self) -> None:
        self.count = 0
        self.fault: Exception | None = None

    def take(self) -> None:
        if self.fault:
            raise self.fault
        self.count += 1


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def tries() -> Tries:
    return Tries()


@pytest.fixture
def ages() -> dict[str, list[float]]:
    """How many seconds ago each loop of each work succeeded; the test may change it."""
    return {"watcher": [JUST_NOW], "expander": [JUST_NOW], "senders": [JUST_NOW, JUST_NOW]}


@pytest.fixture
def ping(outside: Outside, tries: Tries, ages: dict[str, list[float]]) -> Ping:
    """Past its start, where there is nothing to say yet."""

    def age(name: str, place: int) -> Callable[[], float]:
        return lambda: ages[name][place]

    passes: dict[str, Sequence[Callable[[], float]]] = {
        name: [age(name, place) for place in range(len(given))] for name, given in ages.items()
    }
    made = Ping(outside.take, INTERVAL, passes, tries)
    made.run_once(NOW)
    return made


def send(tries: Tries, *outcomes: Exception | None) -> None:
    """Messages through an observed channel; None is taken, an error is raised."""
    for outcome in outcomes:

        def answer(_address: str, _message: Message, outcome: Exception | None = outcome) -> None:
            if outcome:
                raise outcome

        try:
            ObservedChannel(Letterbox(answer), tries).send("jo@example.com", MESSAGE)
        except (DeliveryFailed, DeliveryRefused) as error:
            assert error is outcome  # noqa: PT017 - the sender must see it, too


def test_one_is_sent_in_each_interval(ping: Ping, outside: Outside) -> None:
    next_at = ping.run_once(NOW)

    assert next_at == NOW + INTERVAL
    assert outside.count == 1


def test_at_the_start_there_is_none_yet(outside: Outside, tries: Tries) -> None:
    Ping(outside.take, INTERVAL, {"watcher": [lambda: JUST_NOW]}, tries).run_once(NOW)

    assert outside.count == 0


@pytest.mark.parametrize("name", ["watcher", "expander"])
def test_there_is_none_when_a_loop_has_not_succeeded(ping: Ping, outside: Outside, ages: dict[str, list[float]], name: str) -> None:
    ages[name] = [LONG_AGO]
    ping.run_once(NOW)

    assert outside.count == 0


def test_there_is_none_when_no_sender_has_come_round(ping: Ping, outside: Outside, ages: dict[str, list[float]]) -> None:
    ages["senders"] = [LONG_AGO, LONG_AGO]
    ping.run_once(NOW)

    assert outside.count == 0


def test_one_sender_may_be_held_up(ping: Ping, outside: Outside, ages: dict[str, list[float]]) -> None:
    ages["senders"] = [LONG_AGO, JUST_NOW]
    ping.run_once(NOW)

    assert outside.count == 1


def test_there_is_none_when_all_tries_to_deliver_have_failed(ping: Ping, outside: Outside, tries: Tries) -> None:
    send(tries, DeliveryFailed("no answer"), DeliveryFailed("no answer"))
    ping.run_once(NOW)

    assert outside.count == 0


@pytest.mark.parametrize("answer", [None, DeliveryRefused("550 no such user")], ids=["taken", "refused"])
def test_one_try_that_the_other_side_has_answered_is_enough(ping: Ping, outside: Outside, tries: Tries, answer: Exception | None) -> None:
    send(tries, DeliveryFailed("no answer"), answer, DeliveryFailed("no answer"))
    ping.run_once(NOW)

    assert outside.count == 1


def test_what_was_taken_before_the_last_one_does_not_count(ping: Ping, outside: Outside, tries: Tries) -> None:
    send(tries, None)
    ping.run_once(NOW)
    send(tries, DeliveryFailed("no answer"))
    ping.run_once(NOW)

    assert outside.count == 1


def test_there_is_none_until_something_can_be_delivered_again(ping: Ping, outside: Outside, tries: Tries) -> None:
    send(tries, DeliveryFailed("no answer"))
    ping.run_once(NOW)
    ping.run_once(NOW)
    before = outside.count
    send(tries, None)
    ping.run_once(NOW)

    assert (before, outside.count) == (0, 1)


def test_the_reason_is_one_line_in_the_log_however_long_it_lasts(
    ping: Ping, ages: dict[str, list[float]], caplog: pytest.LogCaptureFixture
) -> None:
    ages["watcher"] = [LONG_AGO]
    for _ in range(5):
        ping.run_once(NOW)

    assert [record.message for record in caplog.records] == ["no ping: no success since the last one: watcher"]


def test_what_the_other_side_said_is_in_the_log(ping: Ping, outside: Outside, caplog: pytest.LogCaptureFixture) -> None:
    outside.fault = DeliveryFailed("the URL answers with status 500")
    ping.run_once(NOW)

    assert [record.message for record in caplog.records] == ["no ping: the URL answers with status 500"]


def test_after_a_silence_the_log_says_that_it_is_over(ping: Ping, ages: dict[str, list[float]], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    ages["watcher"] = [LONG_AGO]
    ping.run_once(NOW)
    ages["watcher"] = [JUST_NOW]
    ping.run_once(NOW)

    assert [record.message for record in caplog.records][1:] == ["pings are sent again"]
