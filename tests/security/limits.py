"""How much a process may open."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

_USUAL = 1_024


def allow_many_files() -> None:
    """As many as can be had without being root; children inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def usual_files() -> Iterator[None]:
    """As many as most systems give to a process that does not ask."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_USUAL, before[1]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
