"""The process of a supervisor: it supervises the run that it was forked for, and then perhaps others, one after the other."""

from __future__ import annotations

import contextlib
import os
import select
import traceback
from typing import NoReturn

from coal_mine.node.processes.identity import ProcessIdentity, monotonic
from coal_mine.node.processes.small import read_small
from coal_mine.node.spool.names import FAULT, RUNS, SPEC, SUPERVISOR
from coal_mine.node.spool.progress import PROGRESS, write_progress
from coal_mine.node.spool.record import RESULT, Ending, Result, Spec

from .idle import Idle
from .supervisor import Supervisor
from .surroundings import Surroundings
from .wakeup import ENDS, Wakeup


def be_supervisor(first: str, around: Surroundings, idle: Idle) -> NoReturn:
    try:
        _detach()
        idle.leave_forker()
        wakeup = Wakeup()
        around.kernel.adopt_orphans()
        identity = ProcessIdentity.of(os.getpid(), around.boot_id).to_text()
        name: str | None = first
        while name and _supervise(name, identity, around, wakeup):
            name = None if ENDS.intersection(wakeup.hear()) else idle.wait(wakeup)
    finally:
        os._exit(0)


def refuse(name: str, error: str, around: Surroundings) -> None:
    """Say that a run gets no supervisor at all.

    Without a result, as on a full disk, the run is one whose supervisor has died: the forker cannot wait for room.
    """
    now = monotonic()
    if _enter(name, ProcessIdentity.nobody(around.boot_id).to_text(), around):
        _deliver(Result(ending=Ending.NOT_STARTED, error=error, started_mono=now, ended_mono=now))
        around.ring(name)


def _detach() -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _supervise(name: str, identity: str, around: Surroundings, wakeup: Wakeup) -> bool:
    """Whether this process may supervise another run: it left nothing behind."""
    if not _enter(name, identity, around):
        return True
    supervisor = Supervisor(name, Spec.from_json(read_small(SPEC)), around, wakeup)
    try:
        result = supervisor.run()
    except BaseException:  # noqa: BLE001 - the agent finds a run without a result, and why
        with contextlib.suppress(OSError), open(FAULT, "w", encoding="utf-8") as file:
            traceback.print_exc(file=file)
        supervisor.kill_everything()
        around.ring(name)
        return False
    while not _deliver(result):
        select.select((), (), (), 1.0)
    around.ring(name)
    return not result.left_behind


def _enter(name: str, identity: str, around: Surroundings) -> bool:
    """Go into the run's directory and claim it; False when it was removed, or somebody supervises it already."""
    try:
        os.fchdir(around.spool)
        os.chdir(f"{RUNS}/{name}")
        os.symlink(identity, SUPERVISOR)
    except OSError:
        return False
    return True


def _deliver(result: Result) -> bool:
    try:
        write_progress(result.to_json().encode())
        os.rename(PROGRESS, RESULT)
    except FileNotFoundError:
        return True  # the run was removed: nobody wants to know
    except OSError:
        return False
    return True
