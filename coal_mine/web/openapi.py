"""/coal-mine/v1/openapi.json: made from the same table as the routes, so that the two cannot differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from coal_mine import __version__
from coal_mine.domain.definition import NAME

from .operations import PREFIX, Call, Named, Operation, Reply
from .schemas import SCHEMAS, TEXT, reference

_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
    "password": {"type": "http", "scheme": "basic", "description": "Any user; the key as the password."},
    "parameter": {"type": "apiKey", "in": "query", "name": "auth_key"},
}
_IN_PATH = {"pool": {"type": "string", "pattern": f"^{NAME.pattern}$"}}
_ANY_NAME = {"type": "string", "minLength": 1}


class OpenApiRoute:
    """Open to everybody: it says nothing about this server that the README does not."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        """The operations beside its own."""
        reply = Reply(status=200, description="This document.", schema="OpenApi")
        self.operation = Operation(
            method="GET", path="/openapi.json", name="getOpenApi", summary="All calls of jobs, runs and nodes, in OpenAPI 3.1.",
            handle=self.get, replies=(reply,), is_open=True,
        )  # fmt: skip
        self._document = document([*operations, self.operation])

    def get(self, _: Call) -> Any:
        return self._document


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Coal Mine: jobs, runs and nodes",
            "version": __version__,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in _KEYS],
        "paths": paths,
        "components": {"schemas": dict(SCHEMAS), "securitySchemes": _KEYS},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [
            *(_in_path(name) for name in re.findall(r"{(\w+)}", operation.path)),
            *(_parameter(named, "query") for named in operation.query),
            *(_parameter(named, "header") for named in operation.headers),
        ],
        "responses": {str(reply.status): _response(reply) for reply in [*operation.replies, *_shared_errors(operation)]},
    }
    if operation.body:
        content = {"application/json": {"schema": reference(operation.body.schema)}}
        found["requestBody"] = {"required": operation.body.needed, "content": content}
    if operation.is_open:
        found["security"] = []
    return found


def _shared_errors(operation: Operation) -> list[Reply]:
    texts = {400: "Something in the request is wrong; the text says what.", 503: "The store did not answer in time."}
    if not operation.is_open:
        texts |= {401: "The key is missing or wrong.", 403: "The server has no key, or a browser was led here by a foreign page."}
    if "{" in operation.path:
        texts[404] = "There is nothing with this name."
    if operation.body:
        texts |= {408: "The body did not come in time.", 413: "The body is too large.", 415: "The body is not JSON."}
    return [Reply(status=status, description=text, schema="Error") for status, text in sorted(texts.items())]


def _response(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = {"description": reply.description}
    if reply.schema:
        found["content"] = {"application/json": {"schema": reference(reply.schema)}}
    elif reply.media:
        found["content"] = {reply.media: {"schema": TEXT}}
    if reply.headers:
        found["headers"] = {named.name: {"description": named.description, "schema": named.schema} for named in reply.headers}
    return found


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _IN_PATH.get(name, _ANY_NAME)}


def _parameter(named: Named, place: str) -> dict[str, Any]:
    return {"name": named.name, "in": place, "description": named.description, "schema": named.schema}
