"""The agent's side of the process that forks supervisors."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from coal_mine.node.spool.directory import RunDirectory
from coal_mine.node.spool.spool import Spool

_READ = 1 << 16
# Only of a forker that is stopped or starved. Then another one takes its place.
_PATIENCE_SECONDS = 10.0
# Without site-packages and the caller's variables: the forker needs the standard library and this package.
_PROGRAM = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from coal_mine.node.supervisor.forking import main; main(sys.argv[1], bool(int(sys.argv[2])))"
)
# A Python may need these to find its own libraries.
FOR_LIBRARIES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class Forker:
    """Starts runs. Its process is started with the first of them at the latest, and again when it has died; runs do not notice."""

    def __init__(self, spool: Spool, *, cgroups: bool = True) -> None:
        self._spool = spool
        self._cgroups = cgroups
        self._socket: socket.socket | None = None
        self._unconfirmed: deque[bytes] = deque()
        self.pid: int | None = None

    def start(self, runs: Iterable[RunDirectory]) -> None:
        """Harmless for runs that have a supervisor already. Raises OSError when no process can be had."""
        self.tend()
        names = [os.fsencode(run.name) for run in runs]
        self._unconfirmed.extend(names)
        if names and not (self.is_alive() and self._send(names)):
            self._begin_anew()

    def tend(self) -> None:
        """To be called now and then: what a process that has died did not do, another one does."""
        if self._socket is None:
            return
        try:
            self._socket.setblocking(False)
            while confirmed := self._socket.recv(_READ):
                for _ in confirmed:
                    self._unconfirmed.popleft()
        except BlockingIOError:
            return
        except OSError:
            pass  # as good as its end
        self.close()
        if self._unconfirmed:
            self._begin_anew()

    def prepare(self) -> None:
        """Start its process, so that the first run need not wait for it."""
        if not self.is_alive():
            self._begin_anew()

    def is_alive(self) -> bool:
        """False also before the first start."""
        if self.pid is None:
            return False
        ended, _ = os.waitpid(self.pid, os.WNOHANG)
        if ended:
            self.pid = None
        return not ended

    def close(self) -> None:
        """End the process. Runs go on."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self.is_alive() and self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)  # it may be stopped; and it has nothing to lose
            os.waitpid(self.pid, 0)
            self.pid = None

    def _begin_anew(self) -> None:
        """Another process gets all that nobody has confirmed: the last one may have died in between, with older orders than the newest."""
        self.close()
        self._spawn()
        if self._unconfirmed and not self._send(self._unconfirmed):
            raise OSError("the process that forks supervisors takes no orders")

    def _send(self, names: Iterable[bytes]) -> bool:
        assert self._socket is not None  # noqa: S101 - its process lives
        with contextlib.suppress(OSError):
            self._socket.settimeout(_PATIENCE_SECONDS)
            self._socket.sendall(b"".join(name + b"\0" for name in names))
            return True
        return False

    def _spawn(self) -> None:
        self._socket, theirs = socket.socketpair()
        root = Path(__file__).parents[3]
        argv = [sys.executable, "-I", "-S", "-X", "utf8", "-c", _PROGRAM, str(root), str(self._spool.path), str(int(self._cgroups))]
        env = {name: os.environ[name] for name in FOR_LIBRARIES if name in os.environ}
        with theirs:
            self.pid = os.posix_spawn(
                sys.executable,
                argv,
                env,
                file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), 0), (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
                setsigmask=(),
                setsigdef=(signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
            )
