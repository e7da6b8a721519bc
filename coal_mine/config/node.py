"""[node] and [jobs]: what this machine runs, and how long it is remembered."""

from __future__ import annotations

import os
import pwd
import re
import socket
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from coal_mine.domain.definition import ACCOUNT, NAME, NAME_RULE
from coal_mine.domain.errors import Invalid
from coal_mine.domain.localtime import zone_named
from coal_mine.domain.node import ANYBODY
from coal_mine.domain.run import ANY

from .machine import own_timezone
from .section import Section, words

_LONGEST_NAME = 64
_MOST = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    name: str
    pools: tuple[str, ...]
    users: tuple[str, ...]  # as whom it may run commands; ANYBODY is everybody but root
    timezone: str
    slots: int  # runs at once
    cpus: float  # 0: not counted
    mem: float  # MB; 0: not counted
    spool: Path | None  # where runs are kept until the store has them; None: beside the SQLite file


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsConfig:
    keep: timedelta  # how long runs and their output are kept after their end
    lost_after: timedelta  # how long a run waits for news of its node


def read_node(section: Section) -> NodeConfig:
    config = NodeConfig(
        name=section.take("name", host_as_name(socket.gethostname()), _name),
        pools=section.take("pools", ("default",), _pools),
        users=section.take("users", (_own_user(),), _users),
        timezone=section.take("timezone", own_timezone(), _timezone),
        slots=section.number("slots", 100, 1, 100_000),
        cpus=section.take("cpus", 0.0, _amount),
        mem=section.take("mem", 0.0, _amount),
        spool=section.take("spool", None, _directory),
    )
    section.refuse_rest("name", "pools", "users", "timezone", "slots", "cpus", "mem", "spool")
    return config


def default_node() -> NodeConfig:
    """For a machine that is asked to run jobs without being told how."""
    return read_node(Section("node", {}, lambda section, setting: f"[{section}] {setting}"))


def read_jobs(section: Section) -> JobsConfig:
    config = JobsConfig(
        keep=timedelta(days=section.number("keep_days", 30, 1, 36_500)),
        lost_after=timedelta(hours=section.number("lost_after_hours", 24, 1, 8_760)),
    )
    section.refuse_rest("keep_days", "lost_after_hours")
    return config


def host_as_name(host: str) -> str:
    """The host's name as a node may have it: it becomes the slot of runs, and ANY is taken there."""
    name = re.sub(r"[^a-z0-9._-]+", "-", host.lower()).strip("._-")[:_LONGEST_NAME]
    return name if name and name != ANY else f"node-{name}".rstrip("-")


def _own_user() -> str:
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # as in a container that was given a number only
        return str(number)


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f"is not a name of {NAME_RULE}")
    if text == ANY:
        raise ValueError("cannot be a node's name: it stands for every node")
    return text


def _pools(text: str) -> tuple[str, ...]:
    found = words(text)
    for pool in found:
        if not NAME.fullmatch(pool):
            raise ValueError(f"is no list of pools: {pool!r} is not a name of {NAME_RULE}")
    return found


def _users(text: str) -> tuple[str, ...]:
    found = words(text)
    for user in found:
        if user != ANYBODY and not ACCOUNT.fullmatch(user):
            raise ValueError(f"is no list of users: {user!r} is neither a user's name nor {ANYBODY}")
    return found


def _timezone(text: str) -> str:
    try:
        return zone_named(text).key
    except Invalid as error:
        raise ValueError(f"is not a time zone: {error}") from error


def _directory(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise ValueError("is not an absolute path")
    if any(os.path.exists(part) and not os.path.isdir(part) for part in (path, *path.parents)):
        raise ValueError("is not a directory, nor can it be made one")
    return path


def _amount(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,6})?", text) or not 0 < float(text) <= _MOST:
        raise ValueError(f"is not a number above 0 and up to {_MOST}")
    return float(text)
