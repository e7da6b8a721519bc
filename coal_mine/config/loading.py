"""The whole configuration: coal-mine.ini or the environment, checked to the last letter."""

from __future__ import annotations

import configparser
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from coal_mine.domain.definition import NAME, NAME_RULE
from coal_mine.domain.errors import Invalid

from .elasticsearch import ElasticsearchConfig, read_elasticsearch
from .logs import LoggingConfig, read_logging
from .machine import own_timezone
from .mail import AlertsConfig, EmailConfig, HeartbeatConfig, read_alerts, read_email, read_heartbeat
from .minion import MinionAccount, read_minion_account
from .moneta import MonetaConfig, read_moneta
from .node import JobsConfig, NodeConfig, read_jobs, read_node
from .runner import RunnerConfig, read_runner
from .section import Section
from .store import MongoConfig, read_mongodb, read_sqlite
from .wsgi import WsgiConfig, read_wsgi

FILE_NAME = "coal-mine.ini"
DIRECTORIES = (Path(), Path("/etc"), Path("/usr/local/etc"))

_SECTIONS = ("logging", "mongodb", "sqlite", "email", "alerts", "heartbeat", "wsgi", "node", "jobs", "moneta", "elasticsearch")
# Of these there may be several, each with a name of its own behind the colon.
_NAMED_SECTIONS = {"runner": "NAME", "minion": "ACCOUNT"}

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
    node: NodeConfig | None  # None: this machine runs no jobs
    jobs: JobsConfig
    moneta: MonetaConfig
    elasticsearch: ElasticsearchConfig | None  # None: no documents are written
    runners: Mapping[str, RunnerConfig]  # by name
    minion: Mapping[str, MinionAccount]  # by name

    @property
    def timezone(self) -> str:
        """In which schedules are read whose dialect names none."""
        return self.node.timezone if self.node else own_timezone()

    @property
    def spool_path(self) -> Path:
        """Where this machine's node keeps what its runs leave behind until the store has it."""
        parent = (self.node and self.node.spool) or self.sqlite_path.parent / "nodes"
        return parent / (self.node.name if self.node else "-")


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
        _check_section(name, source)

    def section(name: str) -> Section:
        return Section(name, sections.get(name, {}), place)

    config = Config(
        source=source or "built-in defaults",
        local_only=not source,
        logging=read_logging(section("logging")),
        mongodb=read_mongodb(section("mongodb")) if "mongodb" in sections else None,
        sqlite_path=read_sqlite(section("sqlite"), used="mongodb" not in sections),
        email=read_email(section("email")) if "email" in sections else None,
        wsgi=read_wsgi(section("wsgi")) if source else WsgiConfig(host="127.0.0.1", port=8080),
        alerts=read_alerts(section("alerts")),
        heartbeat=read_heartbeat(section("heartbeat")) if "heartbeat" in sections else None,
        node=read_node(section("node")) if "node" in sections or not source else None,
        jobs=read_jobs(section("jobs")),
        moneta=read_moneta(section("moneta")),
        elasticsearch=read_elasticsearch(section("elasticsearch")) if "elasticsearch" in sections else None,
        runners={name: read_runner(section(f"runner:{name}")) for name in _names("runner", sections)},
        minion={name: read_minion_account(section(f"minion:{name}"), _names("runner", sections)) for name in _names("minion", sections)},
    )
    if config.mongodb is None and config.wsgi.workers > 1:
        raise Invalid(f"{place('wsgi', 'workers')}: {config.wsgi.workers} workers need [mongodb]; the SQLite store serves from one")
    return config


def _check_section(section: str, source: str) -> None:
    kind, colon, name = section.partition(":")
    if section not in _SECTIONS and not (colon and kind in _NAMED_SECTIONS):
        known = (*_SECTIONS, *(f"{kind}:{meaning}" for kind, meaning in _NAMED_SECTIONS.items()))
        raise Invalid(f"{source}: [{section}]: unknown section; there are {', '.join(f'[{name}]' for name in known)}")
    if colon and not NAME.fullmatch(name):
        raise Invalid(f"{source}: [{section}]: {name!r} is not a name of {NAME_RULE}")


def _names(kind: str, sections: Iterable[str]) -> list[str]:
    """Of the sections [kind:NAME]."""
    return [section.partition(":")[2] for section in sections if section.startswith(f"{kind}:")]
