"""Heartbeats."""

from __future__ import annotations

from dataclasses import replace

from coal_mine.domain.ports import Store
from coal_mine.domain.server import Server
from tests.stores.examples import NOW, SECOND, at_once

ALPHA = Server(
    id="alpha|4711|n1", host="alpha", pid=4711, background=True, version="1.0", started_at=NOW, seen_at=NOW,
)  # fmt: skip
BETA = replace(ALPHA, id="beta|4711|n2", host="beta", background=False, started_at=NOW - SECOND)


def test_nobody_is_there_before_the_first_beat(store: Store) -> None:
    assert store.servers.all() == []


def test_processes_come_back_as_they_beat_in_the_order_of_their_starts(store: Store) -> None:
    store.servers.beat(ALPHA)
    store.servers.beat(BETA)

    assert store.servers.all() == [BETA, ALPHA]


def test_the_next_beat_replaces_the_one_before(store: Store) -> None:
    later = replace(ALPHA, seen_at=NOW + 5 * SECOND)
    store.servers.beat(ALPHA)
    store.servers.beat(later)

    assert store.servers.all() == [later]


def test_whoever_ended_is_forgotten(store: Store) -> None:
    store.servers.beat(ALPHA)
    store.servers.beat(BETA)
    store.servers.end(ALPHA.id)

    assert store.servers.all() == [BETA]


def test_ending_twice_is_harmless(store: Store) -> None:
    store.servers.beat(ALPHA)
    store.servers.end(ALPHA.id)
    store.servers.end(ALPHA.id)

    assert store.servers.all() == []


def test_what_was_told_of_a_process_survives_its_beats(store: Store) -> None:
    store.servers.beat(ALPHA)
    store.servers.note_stopped(ALPHA.id, NOW)
    store.servers.note_resumed(ALPHA.id, NOW - SECOND)
    later = replace(ALPHA, seen_at=NOW + 60 * SECOND)
    store.servers.beat(later)

    assert store.servers.all() == [replace(later, stopped_after=NOW, resumed_after=NOW - SECOND)]


def test_what_was_told_last_stays_whoever_writes_late(store: Store) -> None:
    store.servers.beat(ALPHA)
    for after in (NOW, NOW + SECOND, NOW - SECOND):
        store.servers.note_stopped(ALPHA.id, after)
        store.servers.note_resumed(ALPHA.id, after - SECOND)

    assert store.servers.all() == [replace(ALPHA, stopped_after=NOW + SECOND, resumed_after=NOW)]


def test_noting_something_of_a_forgotten_process_does_not_bring_it_back(store: Store) -> None:
    store.servers.note_stopped(ALPHA.id, NOW)
    store.servers.note_resumed(ALPHA.id, NOW)

    assert store.servers.all() == []


def test_processes_that_beat_at_once_do_not_disturb_each_other(store: Store) -> None:
    servers = [replace(ALPHA, id=f"alpha|{number}|n", pid=number) for number in range(8)]
    at_once([lambda server=server: store.servers.beat(server) for server in servers])

    assert store.servers.all() == servers
