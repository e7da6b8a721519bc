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

_PORTS = {"http": 80, "https": 443}
_EVERYWHERE_4, _EVERYWHERE_6 = "0.0.0.0", "::"  # noqa: S104 - as what servers say
# Where a server that listens there is reached from its own machine.
_LOCALHOST = {"127.0.0.1": "127.0.0.1", _EVERYWHERE_4: "127.0.0.1", "::1": "[::1]", _EVERYWHERE_6: "[::1]"}


def server_for_jobs(given: Given) -> Server:
    """The server that the options name, with the key that they, or else the server's own file, say. Raises Invalid and Forbidden."""
    no_key = given.no_auth_key
    server = resolve([*given.settings(), settings_file().settings], with_key=not no_key)
    if no_key or server.auth_key or _loopback(server.url) is None:
        return server
    return _with_own_key(server)


def _with_own_key(server: Server) -> Server:
    """As it is when this machine's server is another one, or has made no key, as those on MongoDB."""
    from coal_mine.config import address_path, key_path  # takes a twentieth of a second, which a call with a key must not

    store = _sqlite_path()
    if store is None:
        return server
    key, address = _content(key_path(store)), _content(address_path(store))
    url = url_of_server(server.url, address) if key else None
    return replace(server, url=url, auth_key=key) if url else server


def url_of_server(url: str, address: str) -> str | None:
    """The URL when it is that of the server which listens there, else None: whoever else listens on this machine must not get the key.

    The name localhost becomes an address, since it stands for two, and somebody else may listen on the other one. Under https it
    stays, for the certificate's sake, which nobody else has.
    """
    listens_on, _, port = address.partition(" ")
    parts, asked = urlsplit(url), _loopback(url)
    if asked is None or not listens_on or str(parts.port or _PORTS.get(parts.scheme)) != port:
        return None
    if asked:
        return url if listens_on in (asked, _EVERYWHERE_4 if "." in asked else "", _EVERYWHERE_6) else None
    own = _LOCALHOST.get(listens_on)
    if own is None or parts.scheme == "https":
        return own and url
    return parts._replace(netloc=f"{own}:{port}").geturl()


def _loopback(url: str) -> str | None:
    """The loopback address that the URL names, empty for localhost; None for what is not this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return "" if host == "localhost" else str(ip_address(host)) if ip_address(host).is_loopback else None
    except ValueError:
        return None


def _content(path: Path) -> str:
    """Empty when there is no such file."""
    try:
        return path.read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
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
