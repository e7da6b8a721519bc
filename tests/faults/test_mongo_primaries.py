"""A replica set under two servers loses its primary."""

from __future__ import annotations

import random

import pytest

from tests.faults.conftest import Keep
from tests.faults.scene import Mishap, Scene, pause
from tests.support.mongod import OwnMongod
from tests.support.moody_mail import MoodyMailServer


@pytest.fixture(scope="module")
def replica_set(own_replica_set: OwnMongod) -> OwnMongod:
    """Instead of the one that others use."""
    return own_replica_set


def test_nothing_is_lost_on_a_replica_set_that_loses_its_primary(
    keep: Keep, replica_section: str, replica_set: OwnMongod, moody_mail: MoodyMailServer
) -> None:
    servers = [keep(replica_section), keep(replica_section)]
    mishaps: dict[str, Mishap] = {
        "kill primary": _kill_primary(replica_set),
        "step down": lambda _: replica_set.step_down(),
        "freeze primary": _freeze_primary(replica_set),
    }
    Scene(servers, moody_mail).play(mishaps)


def _kill_primary(replica_set: OwnMongod) -> Mishap:
    def kill_primary(chance: random.Random) -> None:
        replica_set.kill_primary()
        try:
            pause(chance, 0.0, 4.0)
        finally:
            replica_set.start_again()

    return kill_primary


def _freeze_primary(replica_set: OwnMongod) -> Mishap:
    """Sometimes for so long that another one is elected."""

    def freeze_primary(chance: random.Random) -> None:
        with replica_set.primary_frozen():
            pause(chance, 0.5, 8.0)

    return freeze_primary
