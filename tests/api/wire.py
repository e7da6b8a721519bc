"""Requests as bytes, for what no client library would send."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.server import API, CoalMine
from tests.support.waiting import PATIENCE

FORM = "Content-Type: application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The error's text; fails when this is no error in the documented form."""
        answer = self.json
        assert list(answer) == ["status", "error"]
        assert answer["status"] == "error"
        return str(answer["error"])


def request(method: str, target: str | bytes, *headers: str, body: bytes = b"", host: str = "localhost", close: bool = True) -> bytes:
    target = target if isinstance(target, bytes) else target.encode()
    lines = [f"Host: {host}", *headers, *(["Connection: close"] if close else [])]
    head = b"%s %s HTTP/1.1\r\n" % (method.encode(), target)
    return head + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


def form(command: str, body: bytes, *headers: str) -> bytes:
    """A POST of the canary API with a whole form."""
    return request("POST", f"{API}/{command}", FORM, f"Content-Length: {len(body)}", *headers, body=body)


@contextmanager
def connection(server: CoalMine) -> Iterator[socket.socket]:
    host, _, port = server.url.partition("://")[2].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as opened:
        yield opened


def exchange(server: CoalMine, sent: bytes, *, end: bool = False) -> Answer:
    """The only answer to `sent`; with `end` the client says that nothing more will come."""
    answers = exchange_all(server, sent, end=end)
    assert len(answers) == 1
    return answers[0]


def exchange_all(server: CoalMine, sent: bytes, *, end: bool = False) -> list[Answer]:
    with connection(server) as opened:
        opened.sendall(sent)
        if end:
            opened.shutdown(socket.SHUT_WR)
        return parsed(b"".join(iter(lambda: _received(opened), b"")), is_head=sent.startswith(b"HEAD "))


def _received(opened: socket.socket) -> bytes:
    try:
        return opened.recv(65_536)
    except ConnectionResetError:  # the server closed while we were still sending
        return b""


def parsed(data: bytes, *, is_head: bool = False) -> list[Answer]:
    answers = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = 0 if is_head else int(headers.get("content-length", 0))
        answers.append(Answer(int(first.split()[1]), headers, data[:length]))
        data = data[length:]
    return answers
