"""Triggers that keep coming, from a thread with a connection of its own."""

from __future__ import annotations

import http.client
import threading
from types import TracebackType


class Load:
    """Triggers the canary `rate` times a second over one kept connection, until left; counts the answers."""

    def __init__(self, url: str, canary_id: str, *, rate: float) -> None:
        self._host = url.removeprefix("http://")
        self._path = f"/{canary_id}"
        self._pause = 1 / rate
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.answered = 0
        self.failed: list[str] = []

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection(self._host, timeout=60)
        while not self._ending.wait(self._pause):
            connection.request("GET", self._path)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 200:
                self.answered += 1
            else:
                self.failed.append(f"{answer.status} {body!r}")
        connection.close()
