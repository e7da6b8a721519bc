"""The real server as a user starts it: its own process, its own directory, a real socket."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from tests.support.waiting import PATIENCE, until

API = "/coal-mine/v1/canary"
# For one question; a server that has died, or was stopped, is asked again.
_ASK_SECONDS = 2.0
_ANY_CERTIFICATE = ssl._create_unverified_context()


class CoalMine:
    """`coal-mine` in a directory of its own; with `ini`, that is its coal-mine.ini."""

    def __init__(self, directory: Path, *arguments: str, ini: str = "", environ: dict[str, str] | None = None) -> None:
        self.directory = directory
        self._arguments = arguments
        self._log = directory / "server.log"
        self._environ = environ or {}
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        directory.mkdir(parents=True, exist_ok=True)
        if ini:
            (directory / "coal-mine.ini").write_text(ini)

    def __enter__(self) -> CoalMine:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process and self._process.poll() is None:
            self.stop()

    def start(self) -> None:
        """Return when it answers."""
        state = str(self.directory / "state")
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.directory), "XDG_STATE_HOME": state, "TZ": "UTC"}
        with self._log.open("ab") as log:
            begin = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "coal_mine", "--port", "0", *self._arguments],
                cwd=self.directory,
                env=environ | self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            until("the server's address in its log", lambda: self._find_url(begin))
            until("an answer of the server", self._answers)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Its exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(PATIENCE)

    def call(self, command: str, **parameters: Any) -> Any:
        """The JSON answer to a GET of the canary API."""
        return self.get(f"{API}/{command}", **parameters).json()

    def get(self, path: str, **parameters: Any) -> requests.Response:
        return requests.get(self.url + path, params=parameters, timeout=PATIENCE)

    def _find_url(self, begin: int) -> bool:
        assert self._process is not None
        text = self._log.read_bytes()[begin:].decode()
        self._refuse_dead()
        found = re.search(r"listening on (https?)://(\S+):(\d+)", text)
        if found:
            self.url = f"{found[1]}://127.0.0.1:{found[3]}"
        return bool(found)

    def _refuse_dead(self) -> None:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the server ended with status {self._process.returncode}:\n{self.log[-2_000:]}")

    def _answers(self) -> bool:
        self._refuse_dead()
        try:
            return bool(urllib.request.urlopen(self.url + "/health", timeout=_ASK_SECONDS, context=_ANY_CERTIFICATE).status == 200)
        except OSError:
            return False
