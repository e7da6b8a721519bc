"""From a forked supervisor to the job's program: what happens in the new process before it is somebody else.

Each step may fail; then `NotStarted` names in a sentence what is wrong.
"""

from __future__ import annotations

import grp
import os
import re
import signal
from typing import NoReturn

from coal_mine.node.spool.record import Spec

from .person import Person
from .surroundings import Surroundings
from .wakeup import ENDS

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SCRIPT = "script"
# The forker has set all others to their defaults, and handlers do not outlive the start of a program.
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


class NotStarted(Exception):
    """The program cannot be run; the text is for the job's owner."""


def launch(spec: Spec, supervisor: int, around: Surroundings) -> NoReturn:
    """Become the job. Raises NotStarted. The current directory is the run's."""
    os.setsid()
    _forget_signals()
    try:
        person = around.person if spec.user is None else _named(spec.user)
        script = _write_script(spec.script, person) if spec.script is not None else None
        _become(person, spec)
        around.kernel.die_with_parent(supervisor)  # only now: a change of the user takes it back
        path, argv = _program(spec, script)
        _enter(spec.workdir, person)
        _execute(path, argv, _environment(spec, person))
    except OSError as error:
        raise NotStarted(f"{error.filename or 'the job'}: {error.strerror}") from error
    except ValueError as error:
        raise NotStarted(f"the command, the environment or a name: {error}") from error


def _forget_signals() -> None:
    """What is ignored, or held back, stays so in a new program."""
    for number in (*IGNORED_BY_PYTHON, signal.SIGCHLD, *ENDS):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # what came meanwhile, such as the order to end, arrives now


def _named(user: str) -> Person:
    try:
        return Person.named(user)
    except KeyError:
        raise NotStarted(f"user {user}: there is none of that name") from None


def _become(person: Person, spec: Spec) -> None:
    if os.geteuid() != 0:
        _stay(person, spec)
    elif spec.user is not None or spec.group is not None:
        groups = os.getgrouplist(person.name, person.gid)
        gid = _gid(spec.group, person, groups) if spec.group is not None else person.gid
        # The groups of that user and no others: ours may open what is not meant for him.
        os.setgroups(list(dict.fromkeys([gid, *groups])))
        os.setgid(gid)
        os.setuid(person.uid)
        _check(person, gid)


def _stay(person: Person, spec: Spec) -> None:
    """Without root's rights there is one user, and his own group."""
    if person.uid != os.geteuid():
        raise NotStarted(f"user {person.name}: only root may run jobs as others")
    if spec.group is not None and _gid(spec.group, person, [os.getegid()]) != os.getegid():
        raise NotStarted(f"group {spec.group}: only root may run jobs with other groups than its own")


def _gid(name: str, person: Person, groups: list[int]) -> int:
    """Only a group that the user has, as sudo does it: whoever may run jobs as a user may not thereby get, say, the group of docker."""
    try:
        gid = grp.getgrnam(name).gr_gid
    except KeyError:
        raise NotStarted(f"group {name}: there is none of that name") from None
    if person.uid != 0 and gid not in groups:
        raise NotStarted(f"group {name}: user {person.name} is not a member")
    return gid


def _check(person: Person, gid: int) -> None:
    """That nothing of root is left, and that it cannot come back."""
    if (os.getuid(), os.geteuid(), os.getgid(), os.getegid()) != (person.uid, person.uid, gid, gid):
        raise NotStarted(f"user {person.name}: the system did not change to this user")
    if person.uid == 0:
        return
    try:
        os.setuid(0)
    except PermissionError:
        return
    raise NotStarted(f"user {person.name}: the system would let it become root again")


def _write_script(text: str, person: Person) -> int:
    """Its file, open for reading."""
    writing = os.open(_SCRIPT, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o500)
    with open(writing, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        if person.uid != os.geteuid():
            os.fchown(writing, person.uid, person.gid)
        os.fchmod(writing, 0o500)
        file.write(text)
    return os.open(_SCRIPT, os.O_RDONLY | os.O_CLOEXEC)


def _program(spec: Spec, script: int | None) -> tuple[str, tuple[str, ...]]:
    if script is None:
        if not spec.argv:
            raise NotStarted("there is nothing to run: the command is empty")
        return spec.argv[0], spec.argv
    path = _path_of(script)
    first_line = (spec.script or "").partition("\n")[0]
    if not first_line.startswith("#!"):
        return "/bin/sh", ("/bin/sh", path, *spec.argv)
    argv = (*(() if os.access(path, os.X_OK) else _interpreter(first_line)), path, *spec.argv)
    return argv[0], argv


def _interpreter(first_line: str) -> list[str]:
    """With its argument, as the kernel reads that line: all after the first blanks is one.

    The kernel itself runs nothing on a file system that is mounted noexec, as Debian does it with /run.
    """
    return [part for part in re.split("[ \t]+", first_line[2:].strip(" \t"), maxsplit=1) if part]


def _path_of(script: int) -> str:
    """The spool is closed to other users. They get their script as an open file, the only one beside the three usual ones."""
    path = os.path.abspath(_SCRIPT)
    if os.access(path, os.R_OK):
        return path
    os.set_inheritable(script, True)
    return f"/dev/fd/{script}"


def _enter(workdir: str | None, person: Person) -> None:
    if workdir is not None:
        try:
            os.chdir(workdir)
        except OSError as error:
            raise NotStarted(f"workdir {workdir}: {error.strerror}") from error
        return
    try:
        os.chdir(person.home)
    except OSError:
        os.chdir("/")


def _environment(spec: Spec, person: Person) -> dict[str, str]:
    clean = {
        "PATH": _PATH,
        "HOME": person.home,
        "USER": person.name,
        "LOGNAME": person.name,
        "SHELL": "/bin/sh",  # as cron has it; many of those who run jobs have none that works
        "LANG": "C.UTF-8",
    }
    return {**clean, **spec.env}


def _execute(path: str, argv: tuple[str, ...], env: dict[str, str]) -> NoReturn:
    try:
        os.execvpe(path, argv, env)  # noqa: S606 - what this is all about
    except OSError as error:
        raise NotStarted(f"{path}: {error.strerror}") from error
