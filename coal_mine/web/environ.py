"""What HTTP servers tell about a request: as WSGI has it (PEP 3333), and as RSGI, Granian's interface for event loops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol

Environ = dict[str, Any]


class Fields(Protocol):
    """Header fields, their names in small letters."""

    def get(self, key: str, default: str) -> str: ...

    def items(self) -> list[tuple[str, str]]: ...


class Scope(Protocol):
    http_version: str
    server: str  # address:port
    client: str  # address:port
    scheme: str
    method: str
    path: str  # decoded; what is no UTF-8 is replaced by U+FFFD
    query_string: str  # as it was sent

    @property
    def headers(self) -> Fields: ...


class Exchange(Protocol):
    """The way to the request's body and to its answer."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...
