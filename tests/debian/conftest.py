"""Tests that need Debian packages; see `make debian`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _sweep() -> Iterator[None]:
    """faketime leaves shared memory behind, named after the process, when one ends in a hurry."""
    yield
    for left in Path("/dev/shm").glob("*faketime_*"):
        if not Path("/proc", left.name.rpartition("_")[2]).exists():
            left.unlink(missing_ok=True)
