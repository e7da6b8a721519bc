"""Clients that go away in the middle: nobody else notices, and nothing is left of them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.wire import FORM, connection, request
from tests.support.server import API, CoalMine
from tests.support.waiting import until

COUNT = 200
_RESET = struct.pack("ii", 1, 0)  # closing resets the connection instead of ending it


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    with CoalMine(tmp_path_factory.mktemp("left")) as running:
        yield running


@pytest.fixture(scope="module")
def canary_id(left: CoalMine) -> str:
    return str(left.call("create", name="Left", periodicity=3600)["canary"]["id"])


REQUESTS = {
    "trigger": request("GET", "/{id}"),
    "trigger by slug": request("GET", f"{API}/trigger?slug=left"),
    "trigger with half a body": request("POST", "/{id}", FORM, "Content-Length: 1000", body=b"a"),
    "list": request("GET", f"{API}/list?verbose=1"),
    "half a form": request("POST", f"{API}/get", FORM, "Content-Length: 1000", body=b"id="),
    "half a header": b"GET /{id} HTTP/1.1\r\nHost: local",
}


@pytest.mark.parametrize("what", REQUESTS)
def test_clients_that_go_away_leave_nothing_behind(left: CoalMine, canary_id: str, what: str) -> None:
    before = left.log
    worker = _worker(left.pid)
    files = len(list(worker.iterdir()))
    for _ in range(COUNT):
        with connection(left) as opened:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            opened.sendall(REQUESTS[what].replace(b"{id}", canary_id.encode()))

    assert left.get(f"/{canary_id}").status_code == 200
    assert left.get(f"{API}/list").status_code == 200
    # Readers of the store may have been opened meanwhile, and stay.
    until("connections that are gone", lambda: len(list(worker.iterdir())) < files + COUNT // 2)
    assert left.log == before


def _worker(pid: int) -> Path:
    """The files of the process that answers."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return Path(f"/proc/{child}/fd")
