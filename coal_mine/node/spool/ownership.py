"""Whose a spool is: whoever can write into it says what this node runs, as any user that the node may run as."""

from __future__ import annotations

import os
import pwd
import stat
from itertools import takewhile
from pathlib import Path

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class SpoolUnsafe(Exception):
    """Others could change what is in it."""


def claim_directory(path: Path, *, shared: bool = False) -> None:
    """Make it, and what is missing above it, for us alone. Raises SpoolUnsafe when it was there, and others have a say in it.

    Who is asked only after it was made: in a directory such as /tmp anybody may have been faster. `shared` is for that directory
    itself: it may be root's, and where it is sticky everybody may write, since nobody can touch what is ours there.
    """
    if not path.is_symlink():
        missing = list(takewhile(lambda each: not each.exists(), (path, *path.parents)))
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
    if fault := _fault_of(path, shared=shared):
        raise SpoolUnsafe(f"{path} {fault}: others could decide what this node runs. Give [node] spool a directory of this user alone")


def is_ours(path: Path, *, shared: bool = False) -> bool:
    try:
        return not _fault_of(path, shared=shared)
    except OSError:
        return False


def _fault_of(path: Path, *, shared: bool) -> str:
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode):
        return "is a symbolic link" if stat.S_ISLNK(found.st_mode) else "is no directory"
    if found.st_uid != os.geteuid() and not (shared and found.st_uid == 0):
        return f"belongs to {_name_of(found.st_uid)}"
    if found.st_mode & _OTHERS_MAY_WRITE and not (shared and found.st_mode & stat.S_ISVTX):
        return "can be written to by others"
    return ""


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
