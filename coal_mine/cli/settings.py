"""Which server to ask and with which key: from the command line, the environment or ~/.coal-mine.ini, in this order."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from configparser import ConfigParser, InterpolationError
from configparser import Error as MalformedFile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from coal_mine.domain.errors import Invalid

SECTION = "coal-mine"
SERVER_WITHOUT_CONFIGURATION = "http://127.0.0.1:8080"
DEFAULT_HOST = "localhost"
MAX_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one source says about the server; None where it says nothing."""

    host: str | None = None  # a name, an address or a URL
    port: int | None = None
    auth_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the calls go."""

    url: str  # without a slash at the end
    auth_key: str | None

    @property
    def shown(self) -> str:
        """The URL for messages: without a password."""
        return re.sub(r"//[^/]*@", "//", self.url)


def resolve(sources: Sequence[Settings], *, with_key: bool = True) -> Server:
    """The server that the sources name together, the most important one first. Raises Invalid."""
    keys = [source.auth_key for source in sources if source.auth_key is not None]
    key = keys[0] if with_key and keys else ""
    if not key.isprintable():
        raise Invalid("the authentication key contains a character that cannot be printed")
    return Server(url=_url(sources), auth_key=key or None)


def _url(sources: Sequence[Settings]) -> str:
    host_from = _first([source.host is not None for source in sources])
    port_from = _first([source.port is not None for source in sources])
    if host_from == port_from == len(sources):
        return SERVER_WITHOUT_CONFIGURATION
    host = sources[host_from].host if host_from < len(sources) else None
    port = sources[port_from].port if port_from < len(sources) else None
    parts = _split(DEFAULT_HOST if host is None else host)
    if port_from > host_from and _is_complete(parts, host):
        port = None  # that port belongs to the host which this one replaces
    if port_from == host_from and parts.port and port and parts.port != port:
        raise Invalid(f"host {host!r} and port {port} name different ports")
    return _joined(parts, port)


def _first(flags: list[bool]) -> int:
    """The place of the first True, or the length."""
    return next((place for place, flag in enumerate(flags) if flag), len(flags))


def _is_complete(parts: SplitResult, host: str | None) -> bool:
    """Does the host alone say which port? A URL does, if only by its scheme."""
    return parts.port is not None or "://" in (host or "")


def _split(host: str) -> SplitResult:
    is_bare_ipv6 = host.count(":") > 1 and "://" not in host and not host.startswith("[")
    text = f"[{host}]" if is_bare_ipv6 else host
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        _ = parts.port  # raises ValueError when it is no port
    except ValueError as error:
        raise Invalid(f"host {host!r} cannot be understood: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or re.search(r"[\s\\]", host):
        raise Invalid(f"host {host!r} is not a host name, an address or a URL such as https://coal-mine.example.com:8443")
    return parts


def _joined(parts: SplitResult, port: int | None) -> str:
    user, at, host = parts.netloc.rpartition("@")
    if port is not None:
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        host = f"{host}:{port}"
    return f"{parts.scheme}://{user}{at}{host}{parts.path.rstrip('/')}"


class SettingsFile:
    """~/.coal-mine.ini, in the predecessor's format."""

    def __init__(self, path: Path) -> None:
        """Reads it; a missing file is an empty one. Raises Invalid when it is malformed, OSError when it cannot be read."""
        self._path = path
        self._parser = ConfigParser()
        try:
            self._parser.read_string(path.read_text("utf-8"), str(path))
        except FileNotFoundError:
            pass
        except (MalformedFile, UnicodeDecodeError) as error:
            raise Invalid(f"{path} is not a readable settings file: {error}") from error
        if not self._parser.has_section(SECTION):
            self._parser.add_section(SECTION)

    @property
    def settings(self) -> Settings:
        """Raises Invalid."""
        return Settings(host=self._get("host"), port=self._port(), auth_key=self._get("auth-key"))

    def _port(self) -> int | None:
        text = self._get("port")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_PORT):
            raise Invalid(f"{self._path}: [{SECTION}] port is {text!r}, which is not a number from 1 to {MAX_PORT}")
        return int(text)

    def _get(self, name: str) -> str | None:
        try:
            return self._parser.get(SECTION, name, fallback=None) or None
        except InterpolationError:  # a lone percent sign, written by hand
            return self._parser.get(SECTION, name, raw=True)

    def change(self, new: Settings, *, forget_key: bool) -> None:
        """Take over what `new` says. A host that says which port drops an old port."""
        if new.host is not None and _is_complete(_split(new.host), new.host):  # before a new port is set
            self._parser.remove_option(SECTION, "port")
        if forget_key:
            self._parser.remove_option(SECTION, "auth-key")
        values = {"host": new.host, "port": new.port and str(new.port), "auth-key": new.auth_key}
        for name, value in values.items():
            if value:
                self._parser.set(SECTION, name, value.replace("%", "%%"))

    def write(self) -> None:
        """Replace the file at once, readable only for its owner. A symbolic link stays one."""
        target = self._path.resolve()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.")  # has mode 0600
        try:
            with open(handle, "w", encoding="utf-8") as file:
                self._parser.write(file)
                file.flush()
                os.fsync(handle)
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
