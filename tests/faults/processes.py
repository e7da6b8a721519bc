"""The processes of a server, by what they do, and an operator who starts it again."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.support.server import CoalMine
from tests.support.waiting import until

_AGAIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Process:
    """Known by its start as well, since the system gives the numbers of dead processes to new ones."""

    pid: int
    started: str

    @property
    def lives(self) -> bool:
        return process_of(self.pid) == self

    def send(self, number: int) -> None:
        if self.lives:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9; returns when it is gone."""
        self.send(signal.SIGKILL)
        until(f"the end of process {self.pid}", lambda: not self.lives)


def process_of(pid: int) -> Process | None:
    """None: it is dead, even if its parent does not know yet."""
    try:
        fields = _fields(pid)
    except OSError:
        return None
    return Process(pid, fields[19]) if fields[0] not in "ZX" else None


def _fields(pid: int) -> list[str]:
    """Of /proc/<pid>/stat, from the state on: the name before it may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def processes_in(directory: Path) -> set[Process]:
    """All that work in that directory, whoever their parents are."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(place / "cwd")) == directory.resolve() and "resource_tracker" not in (place / "cmdline").read_text():
                found.add(process_of(int(place.name)))
        except OSError:  # it has ended meanwhile, or is not ours to look at
            continue
    return {process for process in found if process}


def describe(process: Process) -> str:
    """For whoever has to find out why it is still there."""
    try:
        place = Path(f"/proc/{process.pid}")
        status = [
            line for line in (place / "status").read_text().splitlines() if line.startswith(("State", "PPid", "Threads", "Sig", "Shd"))
        ]
        waits = [(task / "wchan").read_text() for task in (place / "task").iterdir()]
        return f"{process}: {(place / 'cmdline').read_text()!r} {status} {waits}"
    except OSError as error:
        return f"{process}: {error}"


def children(process: Process) -> list[Process]:
    try:
        pids = [int(pid) for task in Path(f"/proc/{process.pid}/task").iterdir() for pid in (task / "children").read_text().split()]
        commands = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in pids}
    except OSError:  # it is just ending
        return []
    found = [process_of(pid) for pid, command in commands.items() if "resource_tracker" not in command]
    return [child for child in found if child]


class KeptServer(CoalMine):
    """A server that is started again whenever it ends, as systemd would, always on the same port."""

    def __init__(self, directory: Path, port: int, ini: str) -> None:
        super().__init__(directory, "--port", str(port), ini=ini)
        self.port = port
        self.restarts = 0
        self._leaving = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name=f"operator-{port}")
        self._seen: set[Process] = set()

    def __enter__(self) -> KeptServer:
        self.start()
        self._keeper.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Ends all that ever belonged to it, also what a killed parent left behind."""
        self.tree()
        self._leaving.set()
        for process in self._seen:
            process.send(signal.SIGCONT)
        while self._keeper.is_alive():  # it may be just starting another one
            if self._process:
                self._process.terminate()
            self._keeper.join(_AGAIN_SECONDS)
        for process in processes_in(self.directory):
            process.kill()

    def _keep(self) -> None:
        while True:
            assert self._process is not None
            self._process.wait()
            if self._leaving.wait(_AGAIN_SECONDS):
                return
            self._start_again()

    def _start_again(self) -> None:
        try:
            self.start()
            self.restarts += 1
        except AssertionError:
            pass  # killed again, or refused while its predecessor still drains; it is tried anew

    def tree(self) -> dict[str, Process]:
        """Its processes by kind, as far as they are there: supervisor, web, worker, background."""
        top = process_of(self.pid)
        if top is None:
            return {}
        found = {"supervisor": top}
        for child in children(top):
            found.update(self._kinds_below(child))
        self._seen.update(found.values())
        return found

    def _kinds_below(self, child: Process) -> dict[str, Process]:
        if "mongodb" not in (self.directory / "coal-mine.ini").read_text():
            return {"worker": child}
        workers = children(child)
        return {"web": child, "worker": workers[0]} if workers else {"background": child}

    @property
    def kinds(self) -> list[str]:
        whole = ["supervisor", "web", "worker", "background"]
        return whole if "mongodb" in (self.directory / "coal-mine.ini").read_text() else ["supervisor", "worker"]

    def wait_until_whole(self) -> dict[str, Process]:
        """All its processes, as soon as they are there and it answers."""

        def whole() -> dict[str, Process] | None:
            found = self.tree()
            return found if sorted(found) == sorted(self.kinds) and self._answers() else None

        found = until("all processes of the server", whole)
        assert found is not None
        return found

    def wait_for_orphans(self) -> None:
        """What a killed parent left behind must end by itself, else it would go on with nobody to stop it."""

        def orphans() -> set[Process]:
            return processes_in(self.directory) - set(self.tree().values())

        try:
            until("the end of processes without a parent", lambda: not orphans())
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *map(describe, orphans()), self.log[-3_000:]])) from None

    def kill(self, kind: str) -> None:
        self.wait_until_whole()[kind].kill()

    def kill_with_new_worker(self) -> None:
        """The supervisor dies while it is just starting a worker, which thus never had a parent that it could listen to."""
        found = self.wait_until_whole()
        above = found.get("web", found["supervisor"])
        found["worker"].kill()
        while above.lives and not children(above):
            pass  # the moment that counts lasts a few milliseconds
        above.kill()

    @contextmanager
    def stopped(self, kind: str) -> Iterator[None]:
        """SIGSTOP, then SIGCONT."""
        process = self.wait_until_whole()[kind]
        process.send(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send(signal.SIGCONT)
