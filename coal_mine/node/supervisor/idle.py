"""Supervisors that have ended a run and take the next one, so that short jobs do not cost a fork of the forker each.

Each idle one has put a token into a pipe. The forker takes a token before it hands a name over, so there is somebody for each
name; a supervisor that tires of waiting takes a token back before it goes, and stays when there is none, since it was promised.
"""

from __future__ import annotations

import os
import select
import socket

from coal_mine.node.processes.identity import IS_LINUX

from .wakeup import Wakeup

_PATIENCE_MILLISECONDS = 1000
_LONGEST_NAME = 4096


class Idle:
    def __init__(self) -> None:
        self._token, self._put = os.pipe()
        os.set_blocking(self._token, False)
        # Each name is received by one, and there is an end when the forker has gone. macOS has no such sockets: there, nobody is
        # ever idle.
        kind = socket.SOCK_SEQPACKET if IS_LINUX else socket.SOCK_STREAM
        self._forker, self._supervisors = socket.socketpair(socket.AF_UNIX, kind)

    def hand_over(self, name: str) -> bool:
        """False when nobody is idle."""
        if not self._take_token():
            return False
        self._forker.send(os.fsencode(name))
        return True

    def leave_forker(self) -> None:
        """In a supervisor, so that it learns when the forker ends."""
        self._forker.close()

    def wait(self, wakeup: Wakeup) -> str | None:
        """The name of the next run; None when none comes."""
        if not IS_LINUX:
            return None
        os.write(self._put, b".")
        poll = select.poll()
        for descriptor in (self._supervisors.fileno(), wakeup.fileno):
            poll.register(descriptor, select.POLLIN)
        woken = {descriptor for descriptor, _ in poll.poll(_PATIENCE_MILLISECONDS)}
        if self._supervisors.fileno() not in woken and self._take_token():
            return None
        return os.fsdecode(self._supervisors.recv(_LONGEST_NAME)) or None

    def _take_token(self) -> bool:
        try:
            return bool(os.read(self._token, 1))
        except BlockingIOError:
            return False
