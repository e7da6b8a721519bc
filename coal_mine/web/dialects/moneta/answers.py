"""How Moneta answers, errors included.

The HTTP server has no place for a reason phrase of our own, so an error's text is in the body, as `message`.
"""

from __future__ import annotations

import json
from typing import Any

from coal_mine.domain.errors import NotFound
from coal_mine.web.dialects.face import Form, NoSuchPath
from coal_mine.web.responses import Answer, Headers, NotAllowed, failure_of

# Pages of other sites may read what needs no key; their browsers are never told to send one along.
_CORS: Headers = [
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET, POST, PUT, DELETE, EXECUTE, KILL"),
    ("access-control-allow-headers", "content-type"),
]
# Moneta says application/javascript, which browsers would run as a script of whatever page asks for it.
_JSON: Headers = [("content-type", "application/json")]


class UnknownNode(NotFound):
    """No node has the name in /node/<name>/."""


def answer(value: Any, status: int = 200) -> Answer:
    """Any JSON value."""
    return Answer(status, _JSON, json.dumps(value, indent=4).encode() + b"\n")


def empty(status: int) -> Answer:
    return Answer(status, [], b"")


def error_answer(error: Exception, asked: str) -> Answer:
    """`asked` says for the log by what request."""
    if isinstance(error, NoSuchPath | NotAllowed):  # which Moneta does not tell apart
        return empty(405)
    if isinstance(error, UnknownNode):
        return answer({"message": "Node not found"}, 404)
    if isinstance(error, NotFound):
        return empty(404)
    failure = failure_of(error, asked)
    told = answer({"error": True, "message": failure.text}, failure.status)
    return Answer(told.status, told.headers + failure.headers, told.body)


FORM = Form(error_answer=error_answer, headers=_CORS, preflight=empty(200))
