"""What HTTP servers tell about a request: as WSGI has it (PEP 3333), and as RSGI, Granian's interface for event loops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

Environ = dict[str, Any]
# In the place of a field's value that is no ASCII: a lone surrogate, which equals nothing that anybody compares it with.
UNREADABLE = "\udcff"


class Fields(Protocol):
    """Header fields, their names in small letters. The HTTP server withholds values that are no ASCII."""

    def __iter__(self) -> Iterator[str]: ...

    def __contains__(self, name: str, /) -> bool: ...

    def get_all(self, key: str) -> list[str]: ...


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


def values_of(fields: Fields, name: str) -> list[str]:
    """Empty only when there is no such field."""
    values = fields.get_all(name)
    return values or ([UNREADABLE] if name in fields else [])
