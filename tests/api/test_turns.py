"""How many requests are worked on at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from coal_mine.stores.sqlite.database import Database
from coal_mine.stores.sqlite.triggers import Triggers
from coal_mine.web.turns import Turns

_LONGEST = 60.0


@pytest.fixture
def turns() -> Turns:
    return Turns(1, patience_seconds=_LONGEST)


@pytest.fixture
def database(tmp_path: Path, turns: Turns) -> Iterator[Database]:
    with closing(Database(tmp_path / "cm.sqlite3", Triggers().perform, lambda: None, turns.given_away)) as opened:
        yield opened


def takes_a_turn(turns: Turns) -> threading.Event:
    """Set once another thread has had it."""
    had = threading.Event()

    def take() -> None:
        with turns.taken():
            had.set()

    threading.Thread(target=take, daemon=True).start()
    return had


def test_one_that_waits_for_the_store_lets_another_one_work(turns: Turns, database: Database) -> None:
    with turns.taken():
        other = takes_a_turn(turns)

        assert database.write(lambda connection: other.wait(_LONGEST))


def test_there_are_no_more_at_work_than_there_are_turns(turns: Turns) -> None:
    at_work = most = 0

    def work() -> None:
        nonlocal at_work, most
        for _ in range(1_000):
            with turns.taken():
                at_work += 1
                most = max(most, at_work)
                threading.Event().wait(0)  # others may go on here
                at_work -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_LONGEST)

    assert most == 1


def test_a_turn_can_be_given_away_only_once(turns: Turns) -> None:
    with turns.taken(), turns.given_away(), turns.given_away():
        assert takes_a_turn(turns).wait(_LONGEST)


def test_a_thread_that_has_no_turn_has_none_to_give_away(turns: Turns) -> None:
    with turns.given_away():
        assert takes_a_turn(turns).wait(_LONGEST)


def test_there_are_no_more_turns_after_one_was_given_away(turns: Turns) -> None:
    with turns.taken(), turns.given_away():
        pass
    with turns.taken():
        other = takes_a_turn(turns)
        with turns.given_away():
            assert other.wait(_LONGEST)


def test_one_that_has_waited_too_long_works_without_a_turn() -> None:
    turns = Turns(1, patience_seconds=0.01)
    with turns.taken():
        assert takes_a_turn(turns).wait(_LONGEST)


def test_one_that_worked_without_a_turn_leaves_none_behind() -> None:
    turns = Turns(1, patience_seconds=0.01)
    with turns.taken():
        assert takes_a_turn(turns).wait(_LONGEST)
    with turns.taken(), turns.given_away():
        assert takes_a_turn(turns).wait(_LONGEST)
