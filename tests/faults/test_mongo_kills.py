"""Two servers on one replica set: their processes die or freeze, primaries die and step down, and all of it at once."""

from __future__ import annotations

import random

from tests.faults.conftest import Keep
from tests.faults.mishaps import process_mishaps
from tests.faults.scene import Mishap, Scene, pause
from tests.support.mongod import Mongod
from tests.support.moody_mail import MoodyMailServer


def test_nothing_is_lost_on_a_replica_set_when_processes_die_or_freeze(
    keep: Keep, replica_section: str, moody_mail: MoodyMailServer
) -> None:
    first, second = keep(replica_section), keep(replica_section)
    Scene([first, second], moody_mail).play(process_mishaps(first))


def test_nothing_is_lost_on_a_replica_set_that_loses_its_primary(
    keep: Keep, replica_section: str, replica_set: Mongod, moody_mail: MoodyMailServer
) -> None:
    servers = [keep(replica_section), keep(replica_section)]
    Scene(servers, moody_mail).play({"kill primary": _kill_primary(replica_set), "step down": lambda _: replica_set.step_down()})


def _kill_primary(replica_set: Mongod) -> Mishap:
    def kill_primary(chance: random.Random) -> None:
        replica_set.kill_primary()
        try:
            pause(chance, 0.0, 4.0)
        finally:
            replica_set.start_again()

    return kill_primary
