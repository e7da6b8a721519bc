"""[mongodb] and [sqlite]: where the data is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_state_path

from .section import Section


@dataclass(frozen=True, slots=True, kw_only=True)
class MongoConfig:
    hosts: str | list[str] = field(repr=False)  # a URI may hold a password
    database: str | None
    options: dict[str, Any] = field(repr=False)  # for MongoClient


def read_mongodb(section: Section) -> MongoConfig:
    hosts = section.text("hosts")
    if not hosts:
        raise section.error("hosts", "missing; give a mongodb:// URI or host names separated by commas")
    is_uri = hosts.startswith(("mongodb://", "mongodb+srv://"))
    database = section.text("database") or None
    if not is_uri and not database:
        raise section.error("database", "missing; it is needed unless hosts is a mongodb:// URI that ends in /DATABASE")
    if is_uri and not database and not urlsplit(hosts).path.strip("/"):
        raise section.error("hosts", "names no database; end the URI in /DATABASE, or set database")
    options = {setting: text for setting, text in section.rest().items() if text}
    return MongoConfig(hosts=hosts if is_uri else [host.strip() for host in hosts.split(",")], database=database, options=options)


def read_sqlite(section: Section, *, used: bool) -> Path:
    path = section.take("path", user_state_path("coal-mine") / "coal-mine.sqlite3", lambda text: Path(text).expanduser())
    section.refuse_rest("path")
    fault = used and _fault_of_place(path)
    if fault:
        raise section.error("path", f"{str(path)!r} {fault}")
    return path


def _fault_of_place(path: Path) -> str:
    """Why no file can be kept there; empty when one can. Changes nothing."""
    if os.path.isdir(path):
        return "is a directory; give the name of a file in it"
    directory = next(place for place in path.absolute().parents if os.path.exists(place))
    if not os.path.isdir(directory):
        return f"cannot be made: {directory} is not a directory"
    if not os.access(directory, os.W_OK | os.X_OK):
        return f"cannot be made: {directory} cannot be written to"
    return ""


def key_path(sqlite_path: Path) -> Path:
    """Where a server on SQLite keeps the key that it made for job calls, and where cmcli on the same machine finds it."""
    return sqlite_path.absolute().parent / "key"


def address_path(sqlite_path: Path) -> Path:
    """Where that server says on which address and port it listens, with a blank between them."""
    return sqlite_path.absolute().parent / "address"
