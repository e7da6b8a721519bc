"""A server that is to end does so in time, whoever still holds a connection; and it does not wait for ever for those who do not read."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from coal_mine.web.listeners import READ_SECONDS
from tests.api.wire import FORM, connection, request
from tests.security.limits import allow_many_files
from tests.support.server import API, CoalMine
from tests.support.waiting import until

KEY = "k"
# A body may take twenty seconds, a header five; the rest is for a busy machine.
END_SECONDS = 30.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CoalMine]:
    allow_many_files()
    with CoalMine(tmp_path, ini=f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n") as running:
        yield running


def _seconds_to_end(server: CoalMine) -> float:
    begin = time.monotonic()
    assert server.stop() == 0
    taken = time.monotonic() - begin
    print(f"\nended after {taken:.1f} s")  # noqa: T201 - the measurement
    return taken


@pytest.mark.parametrize(
    ("count", "sent"),
    [
        (1_000, b""),
        (1_000, b"GET /health HTTP/1.1\r\nHost: x\r\nX"),
        (1_000, request("GET", "/health", close=False)),
        (200, request("POST", f"{API}/list", FORM, "Content-Length: 1000", body=b"auth_key=")),
        (200, request("POST", f"{API}/list?auth_key={KEY}", FORM, "Content-Length: 1000", body=b"search=")),
        (200, request("POST", "/aaaaaaaa", FORM, "Content-Length: 1000", body=b"a")),
    ],
    ids=["silent", "half a header", "idle", "half a body", "half a body with the key", "half a body of a trigger"],
)
def test_connections_do_not_hold_up_the_end(server: CoalMine, count: int, sent: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(connection(server)).sendall(sent)

        assert _seconds_to_end(server) < END_SECONDS


def test_clients_that_do_not_read_do_not_hold_up_the_end(server: CoalMine) -> None:
    _make_list_long(server)
    with ExitStack() as stack:
        opened = [stack.enter_context(connection(server)) for _ in range(10)]
        for one in opened:
            one.sendall(request("GET", f"{API}/list?verbose=1&auth_key={KEY}"))
        until("the beginnings of the answers", lambda: len(select.select(opened, [], [], 0)[0]) == len(opened))

        assert _seconds_to_end(server) < END_SECONDS


def test_a_client_that_does_not_read_loses_its_connection(server: CoalMine) -> None:
    _make_list_long(server)
    with connection(server) as opened:
        opened.sendall(request("GET", f"{API}/list?verbose=1&auth_key={KEY}"))
        begin = time.monotonic()
        until("a reset connection", lambda: _is_gone(server, opened.getsockname()[1]), seconds=3 * READ_SECONDS)

        assert time.monotonic() - begin > READ_SECONDS / 2


def _make_list_long(server: CoalMine) -> None:
    for number in range(1_000):
        server.call("create", name=f"Long {number}", periodicity=3600, description="d" * 10_000, auth_key=KEY)


def _is_gone(server: CoalMine, port: int) -> bool:
    """Has the server's side of the connection from that port gone from the system's table?"""
    ours, theirs = f"{int(server.url.rpartition(':')[2]):04X}", f"{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return not any(row[1].endswith(f":{ours}") and row[2].endswith(f":{theirs}") and row[3] == "01" for row in rows)
