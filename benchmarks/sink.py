"""A mail server that takes everything at once and notes when, in a process of its own so that it slows nobody's interpreter."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import NamedTuple

# As the usual mail servers offer it.
_HELLO = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
_DIGEST = re.compile(r"\[(?:(\d+) LATE)?")


class Mail(NamedTuple):
    at: float  # seconds since 1970
    subject: str

    @property
    def alerts(self) -> int:
        found = _DIGEST.match(self.subject)
        return int(found[1]) if found and found[1] else 1


class Sink:
    def __init__(self, port: int, pipe: Connection) -> None:
        self.port = port
        self._pipe = pipe

    def mails(self) -> list[Mail]:
        """All that came since the last call."""
        self._pipe.send("mails")
        return [Mail(*each) for each in self._pipe.recv()]


@contextmanager
def sink() -> Iterator[Sink]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Sink(ours.recv(), ours)
    finally:
        process.terminate()
        process.join()


class _Session(asyncio.Protocol):
    """As much of SMTP as a sender needs who is never refused anything."""

    def __init__(self, mails: list[tuple[float, str]]) -> None:
        self._mails = mails
        self._received = b""
        self._in_mail = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._received += data
        answers = []
        while (place := self._received.find(end := b"\r\n.\r\n" if self._in_mail else b"\r\n")) >= 0:
            piece, self._received = self._received[:place], self._received[place + len(end) :]
            answers.append(self._taken(piece) if self._in_mail else self._obeyed(piece[:4].upper()))
        if answers:
            self._transport.write(b"".join(answers))

    def _taken(self, mail: bytes) -> bytes:
        _, _, rest = mail.partition(b"\r\nSubject: ")
        self._mails.append((time.time(), rest.partition(b"\r\n")[0].decode()))
        self._in_mail = False
        return b"250 taken\r\n"

    def _obeyed(self, word: bytes) -> bytes:
        self._in_mail = word == b"DATA"
        return {b"EHLO": _HELLO, b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}.get(word, b"250 sink\r\n")


def _serve(pipe: Connection) -> None:
    asyncio.run(_serve_for_ever(pipe))


async def _serve_for_ever(pipe: Connection) -> None:
    mails: list[tuple[float, str]] = []

    def tell() -> None:
        pipe.recv()
        pipe.send(mails)
        mails.clear()

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Session(mails), "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    loop.add_reader(pipe.fileno(), tell)
    await server.serve_forever()
