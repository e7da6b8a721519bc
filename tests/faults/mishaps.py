"""What may happen to a server's processes."""

from __future__ import annotations

import random

from tests.faults.processes import KeptServer
from tests.faults.scene import Mishap, pause


def process_mishaps(server: KeptServer) -> dict[str, Mishap]:
    """kill -9 and SIGSTOP of each kind of process."""
    found: dict[str, Mishap] = {"kill both": lambda _: server.kill_with_new_worker()}
    for kind in server.kinds:
        found[f"kill {kind}"] = _kill(server, kind)
        found[f"stop {kind}"] = _stop(server, kind)
    return found


def _kill(server: KeptServer, kind: str) -> Mishap:
    return lambda _: server.kill(kind)


def _stop(server: KeptServer, kind: str) -> Mishap:
    def stop(chance: random.Random) -> None:
        with server.stopped(kind):
            pause(chance, 0.3, 1.5)

    return stop
