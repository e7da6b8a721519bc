"""The forker's process: small, with everything loaded that supervisors need, and it forks one for each name that it reads.

Started as `python -I -S -c ... <spool>` with the agent's socket as its standard input; ends when the agent does. The supervisors
are its children and stay when it ends. It reaps none: with SIGCHLD ignored the kernel does, even where the first process of the
machine is a program that reaps nobody, as in many containers.
"""

from __future__ import annotations

import gc
import os
import pwd
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from .cgroups import GroupMaker
from .identity import ProcessIdentity, boot_id, monotonic
from .record import RESULT, Ending, Result, Spec
from .supervisor import Supervisor
from .surroundings import BELL, FAULT, RUNS, SPEC, SUPERVISOR, Surroundings
from .tree import Kernel

_READ = 1 << 16
# Written over by the result, so that a full disk has room for it.
_RESERVED = b" " * 1024
_UNFINISHED = "result.new"


def main(spool: str, with_groups: bool) -> None:
    os.setsid()
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # whatever the agent left open for others
    os.chdir(spool)
    os.umask(0o077)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    pwd.getpwuid(0)  # loads what looks up users
    bell = os.open(BELL, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    groups = GroupMaker.where_possible(Path(spool)) if with_groups else None
    around = Surroundings(kernel=Kernel(), boot_id=boot_id(), bell=bell, groups=groups)
    gc.collect()
    gc.freeze()  # a collection in a supervisor would otherwise copy all that it shares with us
    _serve(around)


def _serve(around: Surroundings) -> None:
    rest = b""
    while data := os.read(0, _READ):
        *names, rest = (rest + data).split(b"\0")
        for name in names:
            _fork(os.fsdecode(name), around)


def _fork(name: str, around: Surroundings) -> None:
    try:
        if os.fork() == 0:
            _supervise(name, around)
    except OSError as error:
        now = monotonic()
        os.chdir(f"{RUNS}/{name}")
        _reserve()
        _deliver(Result(ending=Ending.NOT_STARTED, error=f"fork: {error.strerror}", started_mono=now, ended_mono=now))
        os.chdir("../..")
        around.ring(name)


def _supervise(name: str, around: Surroundings) -> NoReturn:
    try:
        _detach()
        os.chdir(f"{RUNS}/{name}")
        os.symlink(ProcessIdentity.own(around.boot_id).to_text(), SUPERVISOR)
    except OSError:
        os._exit(1)  # removed, or somebody else supervises it already
    try:
        _supervise_here(name, around)
    finally:
        os._exit(0)


def _detach() -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _supervise_here(name: str, around: Surroundings) -> None:
    _reserve()
    with open(SPEC, encoding="utf-8") as file:
        supervisor = Supervisor(name, Spec.from_json(file.read()), around)
    try:
        result = supervisor.run()
    except BaseException:  # noqa: BLE001 - the agent finds a run without a result, and why
        with open(FAULT, "w", encoding="utf-8") as file:
            traceback.print_exc(file=file)
        supervisor.kill_everything()
    else:
        while not _deliver(result):
            select.select((), (), (), 1.0)
    around.ring(name)


def _reserve() -> None:
    try:
        with open(_UNFINISHED, "wb", buffering=0) as file:
            file.write(_RESERVED)
    except OSError:
        pass  # then the result waits until there is room


def _deliver(result: Result) -> bool:
    try:
        descriptor = os.open(_UNFINISHED, os.O_WRONLY | os.O_CREAT, 0o600)
        with open(descriptor, "wb", buffering=0) as file:
            text = result.to_json().encode()
            if file.write(text) < len(text):
                return False
            file.truncate()
        os.rename(_UNFINISHED, RESULT)
    except FileNotFoundError:
        return True  # the run was removed: nobody wants to know
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1], with_groups=sys.argv[2] == "cgroups")
