"""How long a refusal takes tells nothing about the key, as far as a neighbour on the network can measure."""

from __future__ import annotations

import http.client
import random
import statistics
import time
from pathlib import Path

from tests.security.latency import address_of
from tests.security.sizes import SECONDS
from tests.support.server import API, CoalMine

# As long as a header may be, so that looking at one character after the other would take a millisecond.
KEY = "k" * 30_000
FIRST, LAST = "x" + KEY[1:], KEY[:-1] + "x"


def _seconds_to_refuse(connection: http.client.HTTPConnection, key: str) -> float:
    begin = time.perf_counter()
    connection.request("GET", f"{API}/list", headers={"X-Auth-Token": key})
    answer = connection.getresponse()
    answer.read()
    taken = time.perf_counter() - begin
    assert answer.status == 401
    return taken


def test_a_key_wrong_at_its_beginning_is_refused_no_sooner_than_one_wrong_at_its_end(tmp_path: Path) -> None:
    taken: dict[str, list[float]] = {FIRST: [], LAST: []}
    with CoalMine(tmp_path, ini=f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n") as server:
        connection = http.client.HTTPConnection(*address_of(server), timeout=60)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for wrong in random.sample((FIRST, LAST), 2):
                taken[wrong].append(_seconds_to_refuse(connection, wrong))
        connection.close()
    first, last = (statistics.median(taken[wrong]) * 1e6 for wrong in (FIRST, LAST))
    print(f"\n{len(taken[FIRST])} rounds, medians {first:.1f} and {last:.1f} microseconds")  # noqa: T201 - the measurement

    assert first > 0.9 * last
