"""The load generator wrk, which takes little of the machine from the server beside it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("triggers.lua")


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back; latencies in milliseconds. `refused` are answers other than 2xx, `broken` have none."""

    requests: int
    seconds: float
    p50: float
    p99: float
    max: float
    refused: int
    broken: int

    @property
    def rate(self) -> float:
        return (self.requests - self.refused) / self.seconds


def load(url: str, *, connections: int, seconds: float, canaries: int = 1, pause: int = 0, path: str = "") -> Answers:
    """Trigger random canaries, or get `path`, over kept connections; each waits `pause` milliseconds, on average, between two requests."""
    return ended(start(url, connections=connections, seconds=seconds, canaries=canaries, pause=pause, path=path))


def start(url: str, *, connections: int, seconds: float, canaries: int = 1, pause: int = 0, path: str = "") -> subprocess.Popen[str]:
    if shutil.which("wrk") is None:
        raise RuntimeError("wrk is missing; apt-get install wrk")
    options = ["-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "--timeout", "30s", "-s", str(_SCRIPT)]
    arguments = [str(canaries), str(pause), *([path] if path else [])]
    return subprocess.Popen(["wrk", *options, url, "--", *arguments], stdout=subprocess.PIPE, text=True)


def ended(wrk: subprocess.Popen[str]) -> Answers:
    output, _ = wrk.communicate()
    found = output.partition("JSON")[2]
    if not found:
        raise RuntimeError(f"wrk failed:\n{output}")
    return Answers(**json.loads(found.splitlines()[0]))
