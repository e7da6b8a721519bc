"""The primary of a replica set is cut off from the network. Needs root and iproute2, for network namespaces."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from coal_mine.clock import monotonic
from tests.faults.conftest import Keep
from tests.faults.scene import Mishap, Scene, pause, seconds
from tests.stores.conftest import database_of
from tests.support.cut_off import DistantMongod
from tests.support.moody_mail import MoodyMailServer
from tests.support.waiting import until


@pytest.fixture
def distant() -> Iterator[DistantMongod]:
    servers = DistantMongod()
    with servers:
        yield servers


def test_nothing_is_lost_when_the_primary_is_cut_off(distant: DistantMongod, keep: Keep, moody_mail: MoodyMailServer) -> None:
    with database_of(distant) as database:
        section = f"[mongodb]\nhosts = {distant.uri}\ndatabase = {database.name}\n"
        servers = [keep(section), keep(section)]
        Scene(servers, moody_mail).play({"unplugged": _during(distant.primary_unplugged), "alone": _during(distant.primary_alone)})


def test_alerts_arrive_while_the_primary_is_still_cut_off(distant: DistantMongod, keep: Keep, moody_mail: MoodyMailServer) -> None:
    """Prints how long that takes, and after how many seconds of it the rest of the replica set could store anything."""
    with database_of(distant) as database:
        servers = [keep(f"[mongodb]\nhosts = {distant.uri}\ndatabase = {database.name}\n") for _ in range(2)]
        end = monotonic() + seconds()
        for number in itertools.count(1):
            name, address = f"Cut {number}", f"cut{number}@example.test"
            servers[number % 2].wait_until_whole()
            servers[number % 2].call("create", name=name, periodicity="1.5", email=address)
            begin = monotonic()
            with distant.primary_unplugged():
                stored = threading.Thread(target=_print_first_write, args=(distant, begin))
                stored.start()
                moody_mail.wait_for(f"[LATE] {name} has not reported")
                print(f"alert {monotonic() - begin:.1f} s after the primary was cut off, due after 1.5 s")  # noqa: T201 - the measurement
                stored.join()
            distant.wait_until_whole()
            if monotonic() > end:
                break

    assert len({message["Message-ID"] for message in moody_mail.messages}) == number


def _print_first_write(distant: DistantMongod, begin: float) -> None:
    with distant.client(heartbeatFrequencyMS=500, connectTimeoutMS=500, timeoutMS=1_000, w="majority") as client:
        until("a write", lambda: _writes(client))
        print(f"\nthe rest stored something after {monotonic() - begin:.1f} s")  # noqa: T201 - the measurement


def _writes(client: MongoClient[dict[str, Any]]) -> bool:
    try:
        return client["coalmine_test_write"]["writes"].insert_one({}).acknowledged
    except PyMongoError:
        return False


def _during(cut: Callable[[], AbstractContextManager[None]]) -> Mishap:
    def mishap(chance: random.Random) -> None:
        with cut():
            pause(chance, 0.5, 12.0)

    return mishap
