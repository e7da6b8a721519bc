"""Servers on MongoDB: processes die or freeze under load, theirs and MongoDB's own."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.faults.conftest import Keep
from tests.faults.mishaps import process_mishaps
from tests.faults.scene import Mishap, Scene, pause
from tests.stores.conftest import database_of
from tests.support.mongod import OwnMongod
from tests.support.moody_mail import MoodyMailServer


def test_nothing_is_lost_on_a_replica_set_when_processes_die_or_freeze(
    keep: Keep, replica_section: str, moody_mail: MoodyMailServer
) -> None:
    first, second = keep(replica_section), keep(replica_section)
    Scene([first, second], moody_mail).play(process_mishaps(first))


@pytest.fixture
def lone_mongod() -> Iterator[OwnMongod]:
    with OwnMongod() as server:
        yield server


def test_nothing_is_lost_on_a_standalone_mongod_when_it_or_processes_die_or_freeze(
    lone_mongod: OwnMongod,  # named first, since it must outlive the servers
    keep: Keep,
    moody_mail: MoodyMailServer,
) -> None:
    with database_of(lone_mongod) as database:
        section = f"[mongodb]\nhosts = {lone_mongod.uri}\ndatabase = {database.name}\n"
        first, second = keep(section), keep(section)
        Scene([first, second], moody_mail).play({**process_mishaps(first), "kill mongod": _kill(lone_mongod)})


def _kill(mongod: OwnMongod) -> Mishap:
    def kill(chance: random.Random) -> None:
        mongod.kill()
        pause(chance, 0.0, 2.0)
        mongod.start()

    return kill
