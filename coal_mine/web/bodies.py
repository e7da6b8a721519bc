"""Bodies in JSON, from strangers who have shown the key."""

from __future__ import annotations

import json
import math
from typing import Any, Never

from coal_mine.domain.errors import Invalid, TooLarge

from .environ import Environ
from .parameters import length_of
from .responses import WrongType

# The README lists these limits.
MAX_JSON = 1_048_576
MAX_DEPTH = 50
_TYPE = "application/json"


def json_body(environ: Environ, *, needed: bool, any_type: bool = False) -> Any:
    """What the body says; an empty object where none is sent and none is needed. With `any_type`, it may say to be something else.

    Raises TooLarge and WrongType before reading anything, Invalid for what is no whole JSON or could not be sent back as such.
    """
    if "HTTP_TRANSFER_ENCODING" in environ:
        # The server would not tell us that the connection broke in the middle.
        raise Invalid("a body must come with its Content-Length, not in chunks")
    length = length_of(environ)
    if not length:
        if needed:
            raise Invalid(f"the body is missing: send JSON, with the header Content-Type: {_TYPE}")
        return {}
    if length > MAX_JSON:
        raise TooLarge(f"the body has {length} bytes; at most {MAX_JSON} are allowed")
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind != _TYPE and not any_type:
        named = ascii(kind[:60]) if kind else "of unknown type"
        raise WrongType(f"the body must be JSON, not {named}: send the header Content-Type: {_TYPE} (curl: -H 'Content-Type: {_TYPE}')")
    body = environ["wsgi.input"].read(length)
    if len(body) < length:
        raise Invalid(f"the body ended after {len(body)} of {length} bytes")
    return parsed(body)


def parsed(body: bytes) -> Any:
    """Raises Invalid, with the place of the fault."""
    try:
        value = json.loads(body.decode(), object_pairs_hook=_without_repetition, parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise Invalid(f"the body is not UTF-8 at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise Invalid(f"the body is not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # a number of thousands of digits
        raise Invalid("the body contains a number that is too long") from None
    _check(value, 0)
    return value


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in members if names.count(name) > 1)
        raise Invalid(f"the body has an object with two members {twice[:60]!a}")
    return members


def _refuse_constant(text: str) -> Never:
    raise Invalid(f"the body contains {text}, which is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Invalid(f"the body contains {text[:40]}, which is too large for a number")
    return number


def _check(value: Any, depth: int) -> None:
    """Depth, and halves of characters: JSON can escape what no text can hold."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise Invalid("the body contains half a character: \\ud800 to \\udfff are allowed in pairs only")
    elif isinstance(value, dict):
        for name, member in value.items():
            _check(name, depth)
            _check(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _check(member, depth + 1)


def _too_deep() -> Invalid:
    return Invalid(f"the body has objects or lists within each other, more than {MAX_DEPTH} deep")
