"""Which entries of a history are kept: at most 1,000, and of those beyond 100 only the ones of the last week."""

from __future__ import annotations

from datetime import datetime, timedelta

from coal_mine.domain.canary import Entry, kept_history, prunes
from tests.domain.samples import HOUR, NOW, SECOND

WEEK = timedelta(days=7)


def history(count: int, newest: datetime) -> list[Entry]:
    return [Entry(newest - place * SECOND, "Triggered", str(place)) for place in range(count)]


def test_a_hundred_entries_are_kept_however_old() -> None:
    entries = history(100, NOW - 52 * WEEK)

    assert kept_history(entries, NOW) == entries


def test_beyond_a_hundred_entries_older_than_a_week_go() -> None:
    entries = history(150, NOW - WEEK - HOUR)

    assert kept_history(entries, NOW) == entries[:100]


def test_beyond_a_hundred_entries_of_the_last_week_are_kept() -> None:
    entries = history(151, NOW - HOUR)

    assert kept_history(entries, NOW) == entries


def test_an_entry_of_exactly_a_week_is_kept() -> None:
    entries = history(150, NOW - WEEK + 120 * SECOND)

    assert kept_history(entries, NOW) == entries[:121]


def test_more_than_a_thousand_entries_are_never_kept() -> None:
    entries = history(1_200, NOW)

    assert kept_history(entries, NOW) == entries[:1_000]


def test_about_one_entry_in_a_hundred_prunes() -> None:
    share = sum(prunes(entry) for entry in history(20_000, NOW)) / 20_000

    assert 0.005 < share < 0.02


def test_writing_an_entry_again_prunes_or_does_not_as_the_first_time() -> None:
    entries = history(1_000, NOW)

    assert [prunes(entry) for entry in entries] == [prunes(Entry(NOW, "again", entry.nonce)) for entry in entries]
