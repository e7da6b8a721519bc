"""The key of job calls that a server without a configured one has made for itself, when it runs on this machine."""

from __future__ import annotations

import configparser
import os
import pwd
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from coal_mine.domain.errors import Forbidden

from .options import Given, settings_file
from .settings import Server, resolve


def server_for_jobs(given: Given) -> Server:
    """The server that the options name, with the key that they, or else the server's own file, say. Raises Invalid and Forbidden."""
    no_key = given.no_auth_key
    server = resolve([*given.settings(), settings_file().settings], with_key=not no_key)
    if no_key or server.auth_key or not is_this_machine(server.url):
        return server
    return replace(server, auth_key=_key_of_this_machine())


def is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _key_of_this_machine() -> str | None:
    """None when there is no such server; one on MongoDB makes no key."""
    from coal_mine.config import key_path  # takes a twentieth of a second, which a call with a key must not

    store = _sqlite_path()
    if store is None:
        return None
    path = key_path(store)
    try:
        return path.read_text("utf-8").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise Forbidden(
            f"the key of this machine's server is in {path}, which only {_owner_of(path)} can read; "
            "run cmcli as that user, or give a key with --auth-key"
        ) from error


def _sqlite_path() -> Path | None:
    """Where the server that this machine's configuration describes has its file; None when it has none.

    Nothing of the configuration is checked: most of it is not for us to read, and the server has refused what is wrong.
    """
    from platformdirs import user_state_path

    from coal_mine.config.loading import DIRECTORIES, FILE_NAME

    parser = configparser.ConfigParser(interpolation=None, default_section="\0", strict=False)
    found = next((file for directory in DIRECTORIES if (file := directory / FILE_NAME).is_file()), None)
    with suppress(OSError, UnicodeDecodeError, configparser.Error):
        parser.read_string(found.read_text("utf-8-sig") if found else "")
    if parser.has_section("mongodb"):
        return None
    named = parser.get("sqlite", "path", fallback="").strip()
    return Path(named).expanduser() if named else user_state_path("coal-mine") / "coal-mine.sqlite3"


def _owner_of(path: Path) -> str:
    """Of the file, or of the directory that hides it."""
    for place in (path, *path.parents):
        try:
            number = os.stat(place).st_uid
        except OSError:
            continue
        try:
            return pwd.getpwuid(number).pw_name
        except KeyError:
            return f"user {number}"
    return "its owner"
