"""What the operator decides: coal-mine.ini or the environment, checked to the last letter."""

from __future__ import annotations

import configparser
import os
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import getaddresses
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from platformdirs import user_state_path

from .domain.errors import Invalid
from .domain.text import MAX_EMAIL, is_address

_T = TypeVar("_T")

FILE_NAME = "coal-mine.ini"
ALL_INTERFACES = "0.0.0.0"  # noqa: S104 - as documented: with a configuration the server is there for others
DIRECTORIES = (Path(), Path("/etc"), Path("/usr/local/etc"))

_SECTIONS = ("logging", "mongodb", "sqlite", "email", "alerts", "heartbeat", "wsgi")

# The environment's name for a setting, as the predecessor had them.
ENVIRONMENT = {
    "MONGODB_URI": ("mongodb", "hosts"),
    "EMAIL_SENDER": ("email", "sender"),
    "SMTP_HOST": ("email", "host"),
    "SMTP_PORT": ("email", "port"),
    "SMTP_USERNAME": ("email", "username"),
    "SMTP_PASSWORD": ("email", "password"),
    "WSGI_PORT": ("wsgi", "port"),
    "WSGI_AUTH_KEY": ("wsgi", "auth_key"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingConfig:
    file: Path | None = None  # None: standard error
    rotate: bool = False
    max_size: int = 1_048_576  # bytes
    backup_count: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MongoConfig:
    hosts: str | list[str] = field(repr=False)  # a URI may hold a password
    database: str | None
    options: dict[str, Any] = field(repr=False)  # for MongoClient


class Tls(StrEnum):
    NO = "no"
    STARTTLS = "starttls"  # begin in the clear, then encrypt
    IMPLICIT = "implicit"  # encrypted from the first byte


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailConfig:
    sender: str
    host: str
    port: int
    username: str  # empty: no login
    password: str = field(repr=False)
    tls: Tls


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsConfig:
    digest_above: int  # more waiting alerts than this for one receiver leave as one mail
    operators: tuple[str, ...]  # who hears what concerns Coal Mine itself


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatConfig:
    url: str = field(repr=False)  # whoever knows it can make believe that we live
    interval: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class WsgiConfig:
    host: str = ALL_INTERFACES
    port: int = 80
    auth_key: str = field(default="", repr=False)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    workers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    source: str  # where it comes from, for the log
    local_only: bool  # nothing was configured: serve this machine alone
    logging: LoggingConfig
    mongodb: MongoConfig | None
    sqlite_path: Path  # used without mongodb
    email: EmailConfig | None  # None: alerts go to the log
    wsgi: WsgiConfig
    alerts: AlertsConfig
    heartbeat: HeartbeatConfig | None  # None: nobody outside is told that we live


class Section:
    """The settings of one section, taken one by one; what is left over at the end is a mistake."""

    def __init__(self, name: str, values: Mapping[str, str], place: Callable[[str, str], str]) -> None:
        self._name = name
        self._left = dict(values)
        self._place = place

    def take(self, setting: str, default: _T, read: Callable[[str], _T]) -> _T:
        """The setting as `read` understands it; a setting without text counts as absent."""
        text = self._left.pop(setting, "").strip()
        if not text:
            return default
        try:
            return read(text)
        except ValueError as error:
            raise self.error(setting, f"{text!r} {error}") from error

    def text(self, setting: str, default: str = "") -> str:
        return self.take(setting, default, str)

    def number(self, setting: str, default: int, low: int, high: int) -> int:
        return self.take(setting, default, lambda text: _number(text, low, high))

    def error(self, setting: str, fault: str) -> Invalid:
        return Invalid(f"{self._place(self._name, setting)}: {fault}")

    def rest(self) -> dict[str, str]:
        rest, self._left = self._left, {}
        return {setting: text.strip() for setting, text in rest.items()}

    def refuse_rest(self, *known: str) -> None:
        for setting in self._left:
            raise self.error(setting, f"unknown setting; [{self._name}] knows {', '.join(known)}")


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration of `path`, else of the environment if it names a MongoDB, else of the first coal-mine.ini, else of the environment.

    Raises Invalid with one line that names file (or variable), section and setting.
    """
    if path is None and not environ.get("MONGODB_URI"):
        path = next((found for directory in DIRECTORIES if (found := directory / FILE_NAME).is_file()), None)
    if path is not None:
        return _config(_read(path), str(path), lambda section, setting: f"{path}: [{section}] {setting}")
    sections: dict[str, dict[str, str]] = {}
    for variable, (section, setting) in ENVIRONMENT.items():
        if environ.get(variable):
            sections.setdefault(section, {})[setting] = environ[variable]
    names = {where: variable for variable, where in ENVIRONMENT.items()}
    source = "the environment" if sections else ""
    return _config(sections, source, lambda section, setting: f"environment: {names.get((section, setting), setting)}")


def _read(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, default_section="\0")
    try:
        text = path.read_text(encoding="utf-8-sig")
        parser.read_string(text, str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from error
    except configparser.Error as error:
        raise Invalid(f"{path}: {_syntax_fault(error)}") from None
    if "\0" in text:
        raise Invalid(f"{path}: not text, it contains a NUL character")
    return {name: dict(parser[name]) for name in parser.sections()}


def _syntax_fault(error: configparser.Error) -> str:
    """In our own words: the library's quote the line, which may hold a password."""
    match error:
        case configparser.DuplicateOptionError():
            return f"[{error.section}] {error.option}: given a second time in line {error.lineno}"
        case configparser.DuplicateSectionError():
            return f"[{error.section}]: begins a second time in line {error.lineno}"
        case configparser.MissingSectionHeaderError():
            return f"line {error.lineno} stands before any [section]"
        case configparser.ParsingError() if error.errors:
            return f"line {error.errors[0][0]} is neither a [section] nor a setting = value"
    return "not in the form of an ini file"


def _config(sections: dict[str, dict[str, str]], source: str, place: Callable[[str, str], str]) -> Config:
    for name in sections:
        if name not in _SECTIONS:
            raise Invalid(f"{source}: [{name}]: unknown section; there are {', '.join(f'[{known}]' for known in _SECTIONS)}")

    def section(name: str) -> Section:
        return Section(name, sections.get(name, {}), place)

    config = Config(
        source=source or "built-in defaults",
        local_only=not source,
        logging=_logging(section("logging")),
        mongodb=_mongodb(section("mongodb")) if "mongodb" in sections else None,
        sqlite_path=_sqlite(section("sqlite"), used="mongodb" not in sections),
        email=_email(section("email")) if "email" in sections else None,
        wsgi=_wsgi(section("wsgi")) if source else WsgiConfig(host="127.0.0.1", port=8080),
        alerts=_alerts(section("alerts")),
        heartbeat=_heartbeat(section("heartbeat")) if "heartbeat" in sections else None,
    )
    if config.mongodb is None and config.wsgi.workers > 1:
        raise Invalid(f"{place('wsgi', 'workers')}: {config.wsgi.workers} workers need [mongodb]; the SQLite store serves from one")
    return config


def _logging(section: Section) -> LoggingConfig:
    default = LoggingConfig()
    config = LoggingConfig(
        file=section.take("file", default.file, _writable_file),
        rotate=section.take("rotate", default.rotate, _boolean),
        max_size=section.number("max_size", default.max_size, 1_000, 1 << 40),
        backup_count=section.number("backup_count", default.backup_count, 1, 10_000),
    )
    section.refuse_rest("file", "rotate", "max_size", "backup_count")
    if config.file and config.rotate and not os.access(config.file.parent, os.W_OK):
        raise section.error("file", f"{str(config.file)!r} cannot be rotated: {config.file.parent} cannot be written to")
    return config


def _mongodb(section: Section) -> MongoConfig:
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


def _sqlite(section: Section, *, used: bool) -> Path:
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


def _email(section: Section) -> EmailConfig:
    tls = section.take("tls", Tls.NO, _tls)
    config = EmailConfig(
        sender=section.take("sender", "", _sender),
        host=section.text("host", "localhost"),
        port=section.number("port", 465 if tls is Tls.IMPLICIT else 25, 1, 65_535),
        username=section.text("username"),
        password=section.text("password"),
        tls=tls,
    )
    section.refuse_rest("sender", "host", "port", "username", "password", "tls")
    if not config.sender:
        raise section.error("sender", "missing; give the address that alerts come from")
    if bool(config.username) != bool(config.password):
        raise section.error("password" if config.username else "username", "missing; username and password belong together")
    return config


def _alerts(section: Section) -> AlertsConfig:
    nobody: tuple[str, ...] = ()
    config = AlertsConfig(
        digest_above=section.number("digest_above", 20, 1, 1_000_000),
        operators=section.take("operators", nobody, _addresses),
    )
    section.refuse_rest("digest_above", "operators")
    return config


def _heartbeat(section: Section) -> HeartbeatConfig:
    url = section.text("url")
    interval = timedelta(seconds=section.number("interval", 60, 1, 86_400))
    section.refuse_rest("url", "interval")
    if not url:
        raise section.error("url", "missing; give the URL that is to hear that this server lives")
    if not _is_http_url(url):
        raise section.error("url", "not a URL such as https://example.com/abcdefgh")  # which is not quoted: it may hold a secret
    return HeartbeatConfig(url=url, interval=interval)


def _wsgi(section: Section) -> WsgiConfig:
    default = WsgiConfig()
    config = WsgiConfig(
        host=section.take("host", default.host, _own_address),
        port=section.number("port", default.port, 0, 65_535),
        auth_key=section.text("auth_key"),
        tls_certificate=section.take("tls_certificate", None, _readable_file),
        tls_key=section.take("tls_key", None, _readable_file),
        workers=section.number("workers", default.workers, 1, 1_000),
    )
    section.refuse_rest("host", "port", "auth_key", "tls_certificate", "tls_key", "workers")
    if bool(config.tls_certificate) != bool(config.tls_key):
        missing = "tls_key" if config.tls_certificate else "tls_certificate"
        raise section.error(missing, "missing; tls_certificate and tls_key belong together")
    if config.tls_certificate:
        try:
            # An empty password, so that an encrypted key is refused and nobody is asked for it.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(config.tls_certificate, config.tls_key, password="")
        except ssl.SSLError as error:
            reason = (error.reason or "not PEM, or an encrypted key").replace("_", " ").lower()
            raise section.error("tls_certificate", f"cannot be used together with tls_key: {reason}") from error
    return config


def _addresses(text: str) -> tuple[str, ...]:
    found = text.replace(",", " ").split()
    for address in found:
        if not is_address(address) or len(address) > MAX_EMAIL:
            raise ValueError(f"is no list of mail addresses: {address!r} is none")
    return tuple(dict.fromkeys(found))


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        has_place = bool(parts.hostname) and parts.port != 0  # a port that is none is refused here
    except ValueError:
        return False
    return has_place and parts.scheme in ("http", "https") and text.isascii() and text.isprintable() and " " not in text


def _number(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise ValueError(f"is not a whole number from {low} to {high}")
    return int(text)


def _boolean(text: str) -> bool:
    values = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if text.lower() not in values:
        raise ValueError("is neither true nor false")
    return values[text.lower()]


def _tls(text: str) -> Tls:
    if text.lower() not in list(Tls):
        raise ValueError(f"is none of {', '.join(Tls)}")
    return Tls(text.lower())


def _sender(text: str) -> str:
    """One address, with or without a name: cm@example.com, or Coal Mine <cm@example.com>."""
    found = getaddresses([text])
    if len(found) != 1 or not is_address(found[0][1]) or (found[0][0] and "<" not in text):
        raise ValueError("is not a mail address such as cm@example.com or Coal Mine <cm@example.com>")
    return text


def _own_address(text: str) -> str:
    """An IP address to listen on, since Granian takes no names; the older protocol's where a name has both."""
    try:
        found = socket.getaddrinfo(text, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ValueError("is neither an address nor a name of this machine") from error
    return str(min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0])


def _writable_file(text: str) -> Path:
    path = Path(text)
    if os.path.isdir(path):
        raise ValueError("is a directory")
    if not os.path.isdir(path.parent):
        raise ValueError(f"cannot be written: there is no directory {path.parent}")
    if not os.access(path if os.path.exists(path) else path.parent, os.W_OK):
        raise ValueError("cannot be written: Permission denied")
    return path


def _readable_file(text: str) -> Path:
    try:
        Path(text).open("rb").close()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    return Path(text)
