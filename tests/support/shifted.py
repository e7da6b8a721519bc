"""A clock that somebody has set wrong, by Debian's package faketime."""

from __future__ import annotations

from pathlib import Path


def shifted(seconds: int) -> dict[str, str]:
    """For the environment of a program whose clock shall be ahead by so many seconds; what measures durations stays right."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        raise RuntimeError("there is no libfaketime: `make debian` as root installs it")
    return {"LD_PRELOAD": str(library), "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
