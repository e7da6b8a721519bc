"""What a WSGI server tells about a request (PEP 3333)."""

from __future__ import annotations

from typing import Any

Environ = dict[str, Any]


def host_of(environ: Environ) -> str:
    """The Host header without its port, in small letters."""
    host: str = environ.get("HTTP_HOST", "").lower()
    return host if host.endswith("]") else host.rpartition(":")[0] if ":" in host else host
