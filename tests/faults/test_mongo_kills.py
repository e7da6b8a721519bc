"""Two servers on one replica set: processes die or freeze under load."""

from __future__ import annotations

from tests.faults.conftest import Keep
from tests.faults.mishaps import process_mishaps
from tests.faults.scene import Scene
from tests.support.moody_mail import MoodyMailServer


def test_nothing_is_lost_on_a_replica_set_when_processes_die_or_freeze(
    keep: Keep, replica_section: str, moody_mail: MoodyMailServer
) -> None:
    first, second = keep(replica_section), keep(replica_section)
    Scene([first, second], moody_mail).play(process_mishaps(first))
