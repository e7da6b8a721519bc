"""A user of the system."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    uid: int
    gid: int  # the primary group
    home: str

    @classmethod
    def named(cls, name: str) -> Person:
        """Raises KeyError. May ask a directory server, and take its time."""
        entry = pwd.getpwnam(name)
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir)

    @classmethod
    def of_this_process(cls) -> Person:
        uid = os.geteuid()
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            return cls(str(uid), uid, os.getegid(), "/")  # common in containers
        return cls(entry.pw_name, uid, entry.pw_gid, entry.pw_dir)
