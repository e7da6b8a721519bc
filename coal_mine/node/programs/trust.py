"""Whose certificates are trusted, where a file says that."""

from __future__ import annotations

import ssl


def fault_of_certificates(path: str) -> str:
    """Why this file cannot say it; empty: it can."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return "has no certificates in PEM form"
    except (OSError, ValueError) as error:
        return f"cannot be read: {error.strerror if isinstance(error, OSError) else error}"
    return ""
