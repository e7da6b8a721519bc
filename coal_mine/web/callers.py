"""Who calls, for the audit log: as far as a caller says it, since everybody has the same key."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from .environ import Environ
from .parameters import Pairs


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a gate says of a call that it has let in."""

    query: Pairs  # without the key
    caller: str  # for the audit log: a user's name, if the key came as the password of one, else the client's address


def address_of(environ: Environ) -> str:
    return str(environ.get("REMOTE_ADDR", ""))


def basic_of(environ: Environ) -> tuple[str, str]:
    """User and password; empty when there are none."""
    scheme, _, credentials = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except ValueError:  # neither base64 nor UTF-8
        return "", ""
    return user, password
