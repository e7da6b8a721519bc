"""[email], [alerts] and [heartbeat]: how people and others are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import getaddresses
from enum import StrEnum

from coal_mine.domain.text import is_address

from .section import Section, addresses, is_http_url


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


def read_email(section: Section) -> EmailConfig:
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


def read_alerts(section: Section) -> AlertsConfig:
    nobody: tuple[str, ...] = ()
    config = AlertsConfig(
        digest_above=section.number("digest_above", 20, 1, 1_000_000),
        operators=section.take("operators", nobody, addresses),
    )
    section.refuse_rest("digest_above", "operators")
    return config


def read_heartbeat(section: Section) -> HeartbeatConfig:
    url = section.text("url")
    interval = timedelta(seconds=section.number("interval", 60, 1, 86_400))
    section.refuse_rest("url", "interval")
    if not url:
        raise section.error("url", "missing; give the URL that is to hear that this server lives")
    if not is_http_url(url):
        raise section.error("url", "not a URL such as https://example.com/abcdefgh")  # which is not quoted: it may hold a secret
    return HeartbeatConfig(url=url, interval=interval)


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
