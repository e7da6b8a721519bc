"""Waiting for what other processes do: they send no event, so we look again and again, and say what we waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Generous, since a busy machine must not fail a test; nobody waits longer than it takes.
PATIENCE = 60.0


def until(what: str, look: Callable[[], T], *, seconds: float = PATIENCE) -> T:
    """What `look` returns as soon as it is true."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.02)
    return found
