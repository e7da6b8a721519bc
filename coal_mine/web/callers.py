"""Who calls, for the audit log: as far as a caller says it, since everybody has the same key."""

from __future__ import annotations

import base64

from .environ import Environ


def caller_of(environ: Environ) -> str:
    """The user's name if one came beside the key, else the client's address."""
    user, _ = basic_of(environ)
    return user or str(environ.get("REMOTE_ADDR", ""))


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
