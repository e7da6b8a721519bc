"""Calls of the native API as rows of a table: the routes, what is checked of a request, and what openapi.json says all come from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bottle

from .auth import JobGate, admitted_without_key
from .bodies import json_body
from .environ import Environ
from .parameters import Parameters

PREFIX = "/coal-mine/v1"
Schema = Mapping[str, Any]  # as JSON Schema has it


@dataclass(frozen=True, slots=True)
class Named:
    """A parameter in query or header."""

    name: str
    description: str
    schema: Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    schema: str  # one of schemas.SCHEMAS
    needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One of the answers, errors that all calls share excepted."""

    status: int
    description: str
    schema: str = ""  # one of schemas.SCHEMAS; empty: see `media`
    media: str = ""  # of an answer that is no JSON; empty: no body
    headers: tuple[Named, ...] = ()


class Call:
    """A request whose key, query and body are as they should be."""

    def __init__(self, environ: Environ, path: Mapping[str, str], query: Parameters, body: Any, by: str) -> None:
        """`by` is who calls."""
        self._environ = environ
        self.path = path
        self.query = query
        self.body = body
        self.by = by

    def header(self, name: str) -> str | None:
        return self._environ.get(f"HTTP_{name.upper().replace('-', '_')}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    method: str
    path: str  # below PREFIX: /jobs/{job}
    name: str
    summary: str
    handle: Callable[[Call], Any]
    replies: tuple[Reply, ...]
    query: tuple[Named, ...] = ()
    headers: tuple[Named, ...] = ()
    body: Body | None = None
    is_open: bool = False  # to everybody, without the key


def mount(app: bottle.Bottle, operations: Sequence[Operation], gate: JobGate) -> None:
    for operation in operations:
        rule = PREFIX + operation.path.replace("{", "<").replace("}", ">")
        app.route(rule, operation.method, _Handler(operation, gate))


class _Handler:
    def __init__(self, operation: Operation, gate: JobGate) -> None:
        self._operation = operation
        self._gate = gate

    def __call__(self, **path: str) -> Any:
        operation, environ = self._operation, bottle.request.environ
        admitted = admitted_without_key(environ) if operation.is_open else self._gate.admit(environ)
        query = Parameters(admitted.query, *(known.name for known in operation.query))
        body = json_body(environ, needed=operation.body.needed) if operation.body else None
        return operation.handle(Call(environ, path, query, body, admitted.caller))
