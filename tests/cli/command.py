"""cmcli as a real process, on a pipe or on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT_SECONDS = 30
_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@dataclass(frozen=True, slots=True)
class Outcome:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cmcli:
    """The command in a home directory of its own."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.file = home / ".coal-mine.ini"
        self._environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm", **environment}

    def start(self, *arguments: str | bytes, environment: dict[str, str] | None = None, **streams: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "coal_mine.cli", *arguments]
        return subprocess.Popen(command, cwd=self.home, env=self._environment | (environment or {}), **streams)

    def __call__(self, *arguments: str | bytes, environment: dict[str, str] | None = None) -> Outcome:
        with self.start(*arguments, environment=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, err = process.communicate(timeout=LIMIT_SECONDS)
        return Outcome(process.returncode, out.decode(), err.decode())

    def canary(self, *arguments: str | bytes) -> dict[str, Any]:
        """The canary in the answer of a command that must succeed."""
        outcome = self(*arguments)
        assert (outcome.status, outcome.err) == (0, "")

        canary: dict[str, Any] = outcome.json["canary"]
        return canary

    def on_terminal(
        self, *arguments: str, columns: int = 100, with_escapes: bool = False, environment: dict[str, str] | None = None
    ) -> Outcome:
        """As __call__, with a pseudo terminal as standard output."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        with self.start(*arguments, environment=environment, stdout=slave, stderr=subprocess.PIPE) as process:
            os.close(slave)
            out = read_to_end(master).decode().replace("\r\n", "\n")
            _, err = process.communicate(timeout=LIMIT_SECONDS)
        os.close(master)
        return Outcome(process.returncode, out if with_escapes else _ESCAPE_SEQUENCE.sub("", out), err.decode())


def read_to_end(master: int) -> bytes:
    """Until the last process has closed the terminal, which Linux reports as an error."""
    data = b""
    while True:
        try:
            more = os.read(master, 65_536)
        except OSError:
            return data
        data += more
