"""[moneta]: what clients of Moneta are offered beside the calls of jobs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from .section import Section, words

Network = IPv4Network | IPv6Network


class BackupFormat(StrEnum):
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonetaConfig:
    open_to: tuple[Network, ...] = ()  # who may call Moneta's paths without the key
    docroot: Path | None = None  # of its web client, served below /gui/; None: there is none
    backup: Path | None = None  # where tasks and options are written at each change; None: nowhere
    backup_format: BackupFormat = BackupFormat.JSON


def read_moneta(section: Section) -> MonetaConfig:
    default = MonetaConfig()
    config = MonetaConfig(
        open_to=section.take("open_to", default.open_to, _networks),
        docroot=section.take("docroot", default.docroot, _docroot),
        backup=section.take("backup", default.backup, _backup),
        backup_format=section.take("backup_format", default.backup_format, _format),
    )
    section.refuse_rest("open_to", "docroot", "backup", "backup_format")
    return config


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(_network(word) for word in words(text))


def _network(word: str) -> Network:
    try:
        return ip_network(word)
    except ValueError:
        raise ValueError(f"is no list of addresses and networks: {word!r} is none; write 127.0.0.1 or 10.1.0.0/16") from None


def _docroot(text: str) -> Path:
    """Whether it is there is seen by who asks for its files: without them, all else goes on."""
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise ValueError("is not an absolute path")
    return path


def _backup(text: str) -> Path:
    """Whether it can be written is seen when it is: the disk that it is meant for may be away for a while."""
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise ValueError("is not an absolute path")
    if os.path.isdir(path):
        raise ValueError("is a directory; give the name of a file in it")
    return path


def _format(text: str) -> BackupFormat:
    if text.lower() not in list(BackupFormat):
        raise ValueError(f"is none of {', '.join(BackupFormat)}")
    return BackupFormat(text.lower())
