"""The sockets on which the HTTP server waits for connections. It opens them itself and hands them to nobody."""

from __future__ import annotations

import os
import socket
import stat
import sys
from contextlib import suppress

# For a client that takes nothing of its answer. It holds a connection, the rest of the answer, and the end of the server.
READ_SECONDS = 20


def drop_clients_that_do_not_read() -> None:
    """From now on, on this process's listening sockets: accepted connections inherit it. Only Linux knows it."""
    if sys.platform != "linux":
        return
    for number in map(int, os.listdir("/proc/self/fd")):
        with suppress(OSError):  # closed meanwhile
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                _limit_listener(number)


def _limit_listener(number: int) -> None:
    with socket.socket(fileno=os.dup(number)) as opened:
        if opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, READ_SECONDS * 1_000)
