"""Clients that mean no good, thousands at once, in a process of their own: python -m tests.security.crowd WHAT HOST PORT COUNT.

It prints a line when that many are connected and ends when its standard input does. A connection that the server closes is opened again.
"""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.api.wire import FORM, request
from tests.security.latency import address_of
from tests.security.limits import allow_many_files
from tests.support.server import API, CoalMine

ROOT = Path(__file__).parents[2]

# A little longer than the server waits for anybody.
LONGER_THAN_THE_SERVER = 22.0
# Connections are opened in parts, since no machine takes thousands in the same moment.
_AT_ONCE = 100
_SMALL = 4_096

Visit = Callable[[StreamReader, StreamWriter], Awaitable[None]]


async def half_open(reader: StreamReader, writer: StreamWriter) -> None:
    """The beginning of a header, and then nothing."""
    writer.write(b"GET /aaaaaaaa HTTP/1.1\r\nHost: localhost\r\nX-Never: en")
    await reader.read()


async def idle(reader: StreamReader, writer: StreamWriter) -> None:
    """One request, and then nothing."""
    writer.write(request("GET", "/health", close=False))
    await reader.read()


async def slow_body(reader: StreamReader, writer: StreamWriter) -> None:
    """A form that comes byte by byte."""
    writer.write(request("POST", f"{API}/list", FORM, "Content-Length: 1000", close=False))
    answer = asyncio.ensure_future(reader.read())
    while not (await asyncio.wait([answer], timeout=1))[0]:
        writer.write(b"a")


async def slow_reader(reader: StreamReader, writer: StreamWriter) -> None:
    """Asks for much and takes nothing: the stream stops reading at its limit."""
    writer.write(request("GET", f"{API}/list?verbose=1", close=False))
    await asyncio.sleep(LONGER_THAN_THE_SERVER)


async def poller(reader: StreamReader, writer: StreamWriter) -> None:
    """A page that asks every second what is new. People do not open their pages in the same moment."""
    await asyncio.sleep(random.random())
    while True:
        writer.write(request("GET", f"{API}/list", close=False))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        await asyncio.sleep(1)


VISITS: dict[str, Visit] = {visit.__name__: visit for visit in (half_open, idle, slow_body, slow_reader, poller)}


class Crowd:
    def __init__(self, visit: Visit, host: str, port: int, count: int) -> None:
        self._visit = visit
        self._address = host, port
        self._count = count
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._seen = 0

    async def gather(self) -> None:
        tasks = [asyncio.ensure_future(self._come_again()) for _ in range(self._count)]
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for task in tasks:
            task.cancel()

    async def _come_again(self) -> None:
        first = True
        while True:
            async with self._places:
                reader, writer = await self._connect()
            if first:
                self._count_one()
            first = False
            try:
                await self._visit(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()
            await asyncio.sleep(1)  # whoever is refused at once would otherwise be a flood, which is another attack

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        opened = socket.socket()
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        await asyncio.get_running_loop().sock_connect(opened, self._address)
        return await asyncio.open_connection(sock=opened, limit=_SMALL)

    def _count_one(self) -> None:
        self._seen += 1
        if self._seen == self._count:
            print("all are here", flush=True)  # noqa: T201 - for `crowd`


@contextmanager
def crowd(what: str, server: CoalMine, count: int) -> Iterator[None]:
    """That many of `what`, from when all are connected."""
    command = [sys.executable, "-m", "tests.security.crowd", what, *map(str, address_of(server)), str(count)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"all are here\n"
            yield
        finally:
            process.stdin.close()


if __name__ == "__main__":
    allow_many_files()
    asyncio.run(Crowd(VISITS[sys.argv[1]], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])).gather())
