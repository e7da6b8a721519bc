"""What a run is to do and how it ended, as they are written into its directory."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from coal_mine.node.processes.small import read_small


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """An order to run something once."""

    run_id: str
    epoch: int = 0
    argv: tuple[str, ...] = ()  # for a shell command: /bin/sh, -c, text
    script: str | None = None  # the text of a program, which gets argv as its arguments
    workdir: str | None = None  # None: the user's home
    env: dict[str, str] = field(default_factory=dict)  # beside a small clean environment
    user: str | None = None  # None: as the supervisor
    group: str | None = None  # None: the user's own
    timeout_seconds: float | None = None
    kill_wait_seconds: float = 10.0  # between TERM and KILL
    fenced: bool = False  # killed before the node's lease ends
    head_bytes: int = 1_000_000  # of the output, which are kept in any case
    tail_bytes: int = 1_000_000

    def to_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_json(cls, text: str | bytes) -> Spec:
        known = _known(cls, text)
        return cls(**{**known, "argv": tuple(known.get("argv", ()))})


class Ending(StrEnum):
    EXITED = "exited"  # by itself, with an exit code
    SIGNALLED = "signalled"  # by a signal that did not come from its supervisor's killing
    NOT_STARTED = "not_started"  # the program could not be run at all; `error` says why
    KILLED = "killed"  # because somebody asked for it
    TIMED_OUT = "timed_out"
    FENCED = "fenced"  # the node's lease was about to end, or had ended, and the run may begin elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run ended. Written once, as the last act of its supervisor."""

    ending: Ending
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None  # for people: why it could not start
    started_mono: float  # seconds of the system's monotonic clock, which all processes share
    ended_mono: float
    # The largest process of the tree. Never less than some ten megabytes: what the fork of the supervisor had before it became
    # the job counts too.
    max_memory_bytes: int = 0
    cpu_user_seconds: float = 0.0  # of all processes that have ended
    cpu_system_seconds: float = 0.0
    stdout_bytes: int = 0  # that were produced, kept or not
    stderr_bytes: int = 0
    unwritten_bytes: int = 0  # of these, what the disk did not take
    left_behind: int = 0  # processes that go on without the run, having closed its output

    @property
    def size(self) -> int:
        """Bytes that were produced in both streams."""
        return self.stdout_bytes + self.stderr_bytes

    def to_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_json(cls, text: str | bytes) -> Result:
        known = _known(cls, text)
        return cls(**{**known, "ending": Ending(known["ending"])})


RESULT = "result.json"


def read_result(directory: Path) -> Result | None:
    """None while the run goes on, and when the machine crashed before it was on the disk."""
    try:
        return Result.from_json(read_small(f"{directory}/{RESULT}"))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def read_lease(path: str) -> float:
    """When the node's lease ends, in seconds of the monotonic clock. Nobody may rely on a lease that cannot be read."""
    try:
        return float(read_small(path))
    except (OSError, ValueError):
        return -math.inf


def _known(cls: type[Spec | Result], text: str | bytes) -> dict[str, Any]:
    """Without what a newer version may have written."""
    given = json.loads(text)
    return {name: given[name] for name in cls.__slots__ if name in given}
