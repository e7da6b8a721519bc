"""A clock that somebody has set wrong, by Debian's package faketime."""

from __future__ import annotations

from pathlib import Path

from tests.support.mongod import OwnMongod


def shifted(seconds: int) -> dict[str, str]:
    """For the environment of a program whose clock shall be ahead by so many seconds; what measures durations stays right."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        raise RuntimeError("there is no libfaketime: `make debian` as root installs it")
    offset = {"FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    # Without the last one, threads that wait by the monotonic clock are woken at once, again and again.
    return {"LD_PRELOAD": str(library), **offset, "FAKETIME_FORCE_MONOTONIC_FIX": "0"}


class ShiftedMongod(OwnMongod):
    """A replica set of two, the second with a clock that is ahead. The first is elected again soon after it has resigned."""

    def __init__(self, seconds: int) -> None:
        super().__init__(members=2)
        first, second = self._members
        first.priority = 2
        second.environ = shifted(seconds)
