"""The command `coal-mine` where it ends by itself, in a directory of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from coal_mine.config import ENVIRONMENT
from coal_mine.main import main
from tests.support.waiting import PATIENCE


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str

    @property
    def fault(self) -> str:
        """The only line on standard error, without the command's name; fails when it is not the end of a refused start."""
        assert (self.status, self.out) == (2, "")
        assert self.err.startswith("coal-mine: ")
        assert self.err.count("\n") == 1
        assert self.err.endswith("\n")
        return self.err.removeprefix("coal-mine: ").rstrip("\n")


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run it to its end as a process; `ini` becomes coal-mine.ini in its current directory."""

    def start(*arguments: str, ini: str | bytes = "", environ: dict[str, str] | None = None) -> Ended:
        if ini:
            (tmp_path / "coal-mine.ini").write_bytes(ini.encode() if isinstance(ini, str) else ini)
        base = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
        ended = subprocess.run(
            [sys.executable, "-m", "coal_mine", *arguments],
            cwd=tmp_path,
            env=base | (environ or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return start


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`coal-mine --check-config` in this process, since starting one takes a hundred times longer."""

    def start(*arguments: str, ini: str | bytes = "", environ: dict[str, str] | None = None) -> Ended:
        if ini:
            (tmp_path / "coal-mine.ini").write_bytes(ini.encode() if isinstance(ini, str) else ini)
        monkeypatch.chdir(tmp_path)
        base = dict.fromkeys(ENVIRONMENT) | {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
        ended = CliRunner().invoke(main, ["--check-config", *arguments], env=base | (environ or {}), catch_exceptions=False)
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    return start
