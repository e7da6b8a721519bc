"""How long a refusal takes tells nothing about the key."""

from __future__ import annotations

import random
import statistics
import time

from coal_mine.domain.errors import Unauthorized
from coal_mine.web.auth import Gate
from coal_mine.web.environ import Environ

# So long that a comparison which stops at the first difference is seen from afar: it saves a third of the time.
KEY = "k" * 1_000_000
FIRST, LAST = "x" + KEY[1:], KEY[:-1] + "x"
ROUNDS = 200


def _asking(key: str) -> Environ:
    return {"REQUEST_METHOD": "GET", "QUERY_STRING": "", "HTTP_X_AUTH_TOKEN": key}


def _seconds_to_refuse(gate: Gate, environ: Environ) -> float:
    """Of this thread's work; what others do on the machine does not count."""
    begin = time.thread_time()
    try:
        gate.admit(environ)
    except Unauthorized:
        return time.thread_time() - begin
    raise AssertionError("a wrong key was let in")


def test_a_key_wrong_at_its_beginning_is_refused_no_sooner_than_one_wrong_at_its_end() -> None:
    gate = Gate(KEY)
    taken: dict[str, list[float]] = {FIRST: [], LAST: []}
    for _ in range(ROUNDS):
        for wrong in random.sample((FIRST, LAST), 2):  # both see the same machine
            taken[wrong].append(_seconds_to_refuse(gate, _asking(wrong)))
    first, last = (statistics.median(taken[wrong]) for wrong in (FIRST, LAST))

    assert first > 0.85 * last, f"{first * 1e6:.1f} and {last * 1e6:.1f} microseconds"
