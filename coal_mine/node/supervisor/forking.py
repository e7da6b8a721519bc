"""The forker's process: small, with everything loaded that supervisors need, and it forks one for each name that it reads.

Started by forker.py with the agent's socket as its standard input; ends when the agent does. The supervisors are its children
and stay when it ends. It reaps none: with SIGCHLD ignored the kernel does, even where the first process of the machine is a
program that reaps nobody, as in many containers.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from pathlib import Path

from coal_mine.node.processes.cgroups import GroupMaker
from coal_mine.node.processes.identity import boot_id
from coal_mine.node.processes.tree import Kernel
from coal_mine.node.spool.names import BELL

from .idle import Idle
from .launch import IGNORED_BY_PYTHON
from .person import Person
from .supervising import be_supervisor, refuse
from .surroundings import Surroundings

_READ = 1 << 16


def main(spool: str, with_groups: bool) -> None:
    os.setsid()
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # whatever the agent left open for others
    _reset_signals()
    os.umask(0o022)  # for the jobs; our own files are given their modes
    around = Surroundings(
        kernel=Kernel(),
        boot_id=boot_id(),
        spool=os.open(spool, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC),
        bell=os.open(f"{spool}/{BELL}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC),
        groups=GroupMaker.where_possible(Path(spool)) if with_groups else None,
        person=Person.of_this_process(),
    )
    idle = Idle()
    gc.collect()
    gc.freeze()  # a collection in a supervisor would otherwise copy all that it shares with us
    _serve(around, idle)


def _reset_signals() -> None:
    """Whatever the agent ignored or blocked, jobs inherit nothing of it."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, *IGNORED_BY_PYTHON}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def _serve(around: Surroundings, idle: Idle) -> None:
    rest = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):  # the agent was killed, which is as good as its end
        while data := os.read(0, _READ):
            *names, rest = (rest + data).split(b"\0")
            for name in names:
                _start(os.fsdecode(name), around, idle)
            os.write(0, b"." * len(names))


def _start(name: str, around: Surroundings, idle: Idle) -> None:
    if idle.hand_over(name):
        return
    try:
        if os.fork() == 0:
            be_supervisor(name, around, idle)
    except OSError as error:
        refuse(name, f"fork: {error.strerror}", around)
