"""The primary of a replica set is cut off from the network. Needs root and iproute2, for network namespaces."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.faults.conftest import Keep
from tests.faults.scene import Mishap, Scene, pause
from tests.stores.conftest import database_of
from tests.support.cut_off import DistantMongod
from tests.support.moody_mail import MoodyMailServer


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


def _during(cut: Callable[[], AbstractContextManager[None]]) -> Mishap:
    def mishap(chance: random.Random) -> None:
        with cut():
            pause(chance, 0.5, 12.0)

    return mishap
