"""Backgrounds die and freeze, and the store is away, for as long as it really takes: what operators hear."""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from coal_mine.clock import monotonic
from coal_mine.domain.server import LEASE
from tests.faults.conftest import Keep
from tests.faults.processes import Process, process_of
from tests.faults.scene import new_seed, seconds
from tests.stores.conftest import database_of
from tests.support.background import Background
from tests.support.mail import MailServer, body
from tests.support.mongod import Mongod, OwnMongod
from tests.support.moody_mail import MoodyMailServer
from tests.support.server import CoalMine
from tests.support.settings import shared_settings
from tests.support.waiting import until

OPERATORS = ("ops@example.test", "jo@example.test")
LEASE_SECONDS = LEASE.total_seconds()
# A lease, two beats, and a busy machine.
PATIENCE = 4 * LEASE_SECONDS

Start = Callable[[], Background]


@pytest.fixture
def store() -> Iterator[OwnMongod]:
    """Of its own, since a test stops it."""
    with OwnMongod() as running:
        yield running


@pytest.fixture
def database(store: Mongod) -> Iterator[Database[dict[str, Any]]]:
    with database_of(store) as empty:
        yield empty


@pytest.fixture
def ini(store: Mongod, database: Database[dict[str, Any]], mail: MailServer) -> str:
    return f"{shared_settings(store, database, mail)}[alerts]\noperators = {', '.join(OPERATORS)}\n"


@pytest.fixture
def web(ini: str, tmp_path: Path) -> Iterator[CoalMine]:
    """Which has been there for long enough to judge."""
    with CoalMine(tmp_path / "web", "--web", ini=ini) as server:
        until("a judgement", lambda: "backgrounds" in server.get("/health").json())
        yield server


@pytest.fixture
def start(ini: str, tmp_path: Path, database: Database[dict[str, Any]]) -> Iterator[Start]:
    """Starts a background; returns when the others can know of it."""
    with ExitStack() as stack:
        numbers = iter(range(1_000))

        def start_one() -> Background:
            background = stack.enter_context(Background(tmp_path / f"background-{next(numbers)}", ini=ini))
            until("its first beat", lambda: database["servers"].find_one({"pid": background.pid}))
            return background

        yield start_one


def told(mail: MailServer) -> Counter[tuple[str, int]]:
    """How many mails of each kind of each process, of those that every operator got alike."""
    subjects = [Counter(mail.subjects(to)) for to in OPERATORS]
    assert subjects[0] == subjects[1] or not all(subjects)
    return Counter({(subject.split()[0], int(subject.split()[3])): count for subject, count in subjects[0].items()})


def wait_until_told(mail: MailServer, *expected: tuple[str, int]) -> None:
    subjects = [f"{kind} background process {pid} on " for kind, pid in expected]

    def has_all(to: str) -> bool:
        return all(any(subject.startswith(each) for subject in mail.subjects(to)) for each in subjects)

    until(f"the mails {expected}", lambda: all(has_all(to) for to in OPERATORS), seconds=PATIENCE)


def pause(length: float) -> None:
    threading.Event().wait(length)


def stop_many(start: Start, chance: random.Random, killed: list[Process], frozen: list[Process]) -> None:
    alive = [running_process(start()) for _ in range(3)]
    end = monotonic() + seconds()
    while monotonic() < end or not (killed and frozen):
        victim = alive.pop(chance.randrange(len(alive)))
        if chance.random() < 0.5:
            victim.kill()
            killed.append(victim)
        else:
            victim.send(signal.SIGSTOP)
            frozen.append(victim)
        alive.append(running_process(start()))
        pause(chance.uniform(1, 10))


def running_process(background: Background) -> Process:
    process = process_of(background.pid)
    assert process
    return process


def test_a_killed_background_is_told_once_when_its_lease_is_over(web: CoalMine, start: Start, mail: MailServer) -> None:
    start()
    victim = start()
    victim.stop(signal.SIGKILL)
    begin = monotonic()
    wait_until_told(mail, ("[STOPPED]", victim.pid))
    took = monotonic() - begin
    print(f"\ntold {took:.1f} s after the kill")  # noqa: T201 - for the record
    pause(LEASE_SECONDS)

    assert took > LEASE_SECONDS - 10  # it had beaten in the last few seconds
    assert told(mail) == {("[STOPPED]", victim.pid): 1}


def test_a_background_that_freezes_for_longer_than_its_lease_is_told_to_have_stopped_and_to_be_back(
    web: CoalMine, start: Start, mail: MailServer
) -> None:
    start()
    victim = start()
    process = running_process(victim)
    process.send(signal.SIGSTOP)
    try:
        wait_until_told(mail, ("[STOPPED]", victim.pid))
    finally:
        process.send(signal.SIGCONT)
    wait_until_told(mail, ("[RESUMED]", victim.pid))
    pause(LEASE_SECONDS)

    assert told(mail) == {("[STOPPED]", victim.pid): 1, ("[RESUMED]", victim.pid): 1}


def test_a_background_that_is_started_again_at_once_is_told_to_have_stopped_beside_another_one_that_is_alive(
    keep: Keep, mongo_section: str, moody_mail: MoodyMailServer
) -> None:
    server = keep(f"{mongo_section}[alerts]\noperators = {', '.join(OPERATORS)}\n")
    victim = server.wait_until_whole()["background"]
    until("a judgement", lambda: server.get("/health").json().get("backgrounds"))
    victim.kill()
    wait_until_told(moody_mail, ("[STOPPED]", victim.pid))
    pause(LEASE_SECONDS)

    assert told(moody_mail) == {("[STOPPED]", victim.pid): 1}
    assert all("Another background is alive" in body(message) for message in moody_mail.messages)


def test_nobody_is_told_of_when_the_store_was_away_for_longer_than_the_lease(
    web: CoalMine, start: Start, store: OwnMongod, mail: MailServer
) -> None:
    start()
    start()
    store.kill()
    pause(LEASE_SECONDS * 1.5)
    store.start()
    until("a beat", lambda: web.get("/health").json()["seconds_since_success"]["heartbeat"] < 5)
    pause(LEASE_SECONDS)

    assert web.get("/health").json()["backgrounds"] == {"alive": 2, "stopped": 0}
    assert told(mail) == {}


def test_every_stop_of_many_is_told_once(web: CoalMine, start: Start, mail: MailServer) -> None:
    """Some are killed and replaced, some freeze and go on; several at a time."""
    seed = new_seed()
    chance = random.Random(seed)
    killed: list[Process] = []
    frozen: list[Process] = []
    try:
        stop_many(start, chance, killed, frozen)
        wait_until_told(mail, *(("[STOPPED]", each.pid) for each in [*killed, *frozen]))
    finally:
        for process in frozen:
            process.send(signal.SIGCONT)
    wait_until_told(mail, *(("[RESUMED]", each.pid) for each in frozen))
    pause(LEASE_SECONDS)
    print(f"\nseed {seed}: {len(killed)} killed, {len(frozen)} frozen, {sum(told(mail).values())} alerts")  # noqa: T201 - the counts

    expected = [("[STOPPED]", each.pid) for each in [*killed, *frozen]] + [("[RESUMED]", each.pid) for each in frozen]
    assert told(mail) == Counter(expected)
