"""All processes that a run has started, however they try to get away."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator

from .cgroups import RunGroup
from .identity import IS_LINUX, ProcessIdentity, ProcessStat, boot_id, send, stat_of

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# How often the direct children are killed before all of /proc is read again.
_QUICK_ROUNDS = 200


class Kernel:
    """What Linux offers and Python does not. Elsewhere nothing happens: then a run is its session only."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def adopt_orphans(self) -> None:
        """Descendants whose parent ends become this process's children, also those with a session of their own."""
        if IS_LINUX:
            self._libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def die_with_parent(self, parent: int) -> None:
        if IS_LINUX:
            self._libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)


def processes() -> Iterator[ProcessStat]:
    for name in os.listdir("/proc") if IS_LINUX else ():
        if name.isdigit() and (stat := stat_of(name)):
            yield stat


def descendants(root: int) -> list[ProcessStat]:
    """Those that live, parents before their children."""
    children: dict[int, list[ProcessStat]] = {}
    for process in processes():
        children.setdefault(process.parent, []).append(process)
    found = list(children.get(root, ()))
    for process in found:
        found.extend(children.get(process.pid, ()))  # the list grows while it is walked
    return [process for process in found if not process.is_dead]


class Session:
    """The session that a job leads, and its group of the same number."""

    def __init__(self, leader: int) -> None:
        self.leader = leader
        self._is_ours = True

    def leader_was_reaped(self) -> None:
        """From now on the number is free, and a stranger may get it."""
        self._is_ours = False

    def signal(self, number: int) -> None:
        if self._is_ours:
            _send_group(self.leader, number)

    def pass_on(self, root: int, number: int) -> None:
        """Also to those who outlive the leader: while one of them is in the group, nobody else gets its number."""
        if self._is_ours or any(process.group == self.leader for process in descendants(root)):
            _send_group(self.leader, number)


def terminate(root: int, session: Session) -> None:
    """Ask all to end; those that are stopped could not hear it."""
    for process in descendants(root):
        for number in (signal.SIGTERM, signal.SIGCONT):
            send(process, number)
    if not IS_LINUX:
        session.signal(signal.SIGTERM)
        session.signal(signal.SIGCONT)


def kill(root: int, session: Session) -> None:
    """One round; processes that fork faster than we look need several."""
    session.signal(signal.SIGKILL)
    _kill_children(root)
    found = descendants(root)
    # The kernel lets no process of a group fork while the group is killed. A group belongs to one session, and all sessions but
    # the supervisor's own were begun by this run.
    own = os.getsid(0)
    for group in {process.group for process in found if process.session != own}:
        _send_group(group, signal.SIGKILL)
    for process in found:
        send(process, signal.SIGKILL)
    _kill_children(root)


def _kill_children(root: int) -> None:
    """A chain of processes that fork and end at once is always a child of ours, because orphans come to us.

    Reading all of /proc is too slow to meet it alive; the list of children is not.
    """
    for _ in range(_QUICK_ROUNDS):
        alive = [child for child in _children(root) if (stat := stat_of(child)) and not stat.is_dead]
        if not alive:
            return
        for child in alive:
            # Only we could reap it, so the pid is still its own.
            os.kill(child, signal.SIGKILL)


def _children(root: int) -> list[int]:
    try:
        with open(f"/proc/{root}/task/{root}/children", "rb") as file:
            return [int(pid) for pid in file.read().split()]
    except FileNotFoundError:
        return []  # not Linux, or a kernel without that file


def kill_remains(job: ProcessIdentity, group: RunGroup | None) -> int:
    """Kill what a dead supervisor left of a job, again and again until nothing is left, and say how many processes that were.

    Its session, and its cgroup if it had one: those who left the session have lost their parent, and only the group knows them.
    """
    if job.boot_id != boot_id():
        return 0
    killed: set[tuple[int, int]] = set()
    # Each once: a process that the kernel cannot end at the moment would hold us up for ever.
    while fresh := [each for each in _remains(job, group) if (each.pid, each.started) not in killed]:
        if group:
            group.kill()
        for process in fresh:
            send(process, signal.SIGKILL)
            killed.add((process.pid, process.started))
    if group:
        group.remove()
    return len(killed)


def _remains(job: ProcessIdentity, group: RunGroup | None) -> list[ProcessStat]:
    grouped = [stat for pid in (group.pids() if group else ()) if (stat := stat_of(pid))]
    return [process for process in (*_session(job), *grouped) if not process.is_dead]


def _session(job: ProcessIdentity) -> list[ProcessStat]:
    leader = stat_of(job.pid) if IS_LINUX else None
    if leader is not None and leader.started != job.started:
        return []  # the pid went to another process, which happens only when nobody of the session is left
    return [each for each in processes() if each.session == job.pid and each.started >= job.started and not each.is_dead]


def _send_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all gone, or on macOS only zombies
        os.killpg(group, number)
