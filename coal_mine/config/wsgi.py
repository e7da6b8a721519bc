"""[wsgi]: how HTTP is served."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from .section import Section, readable_file

ALL_INTERFACES = "0.0.0.0"  # noqa: S104 - as documented: with a configuration the server is there for others


@dataclass(frozen=True, slots=True, kw_only=True)
class WsgiConfig:
    host: str = ALL_INTERFACES
    port: int = 80
    auth_key: str = field(default="", repr=False)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    workers: int = 1


def read_wsgi(section: Section) -> WsgiConfig:
    default = WsgiConfig()
    config = WsgiConfig(
        host=section.take("host", default.host, _own_address),
        port=section.number("port", default.port, 0, 65_535),
        auth_key=section.text("auth_key"),
        tls_certificate=section.take("tls_certificate", None, readable_file),
        tls_key=section.take("tls_key", None, readable_file),
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


def _own_address(text: str) -> str:
    """An IP address to listen on, since Granian takes no names; the older protocol's where a name has both."""
    try:
        found = socket.getaddrinfo(text, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ValueError("is neither an address nor a name of this machine") from error
    return str(min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0])
