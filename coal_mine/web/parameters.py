"""Reading what a request says: the query string and, for POST, a form."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import parse_qsl

from coal_mine.domain.errors import Invalid, TooLarge
from coal_mine.services.canaries import Reference

from .environ import Environ

# The README lists this limit. The longest legal request, a hundred addresses and a full description, fits.
MAX_BODY = 256 * 1024
_MAX_FIELDS = 300
_FORM = "application/x-www-form-urlencoded"
_SURROGATE = re.compile("[\ud800-\udfff]")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}

Pairs = list[tuple[str, str]]
REFERENCE = ("id", "slug", "name")  # what names a canary


def query_pairs(environ: Environ) -> Pairs:
    return pairs_of(environ.get("QUERY_STRING", "").encode("latin-1"))


def has_body(environ: Environ) -> bool:
    """Is there a body that form_pairs would have to wait for?"""
    return environ["REQUEST_METHOD"] == "POST" and (_length(environ) > 0 or "HTTP_TRANSFER_ENCODING" in environ)


def form_pairs(environ: Environ) -> Pairs:
    """The fields of a POSTed form; none for other methods. Raises TooLarge before reading anything, Invalid for what is no whole form."""
    if not has_body(environ):
        return []
    if "HTTP_TRANSFER_ENCODING" in environ:
        # The server would not tell us that the connection broke in the middle, and we would act on half a form.
        raise Invalid("a body must come with its Content-Length, not in chunks")
    length = _length(environ)
    if length > MAX_BODY:
        raise TooLarge(f"the body has {length} bytes; at most {MAX_BODY} are allowed")
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise Invalid(f"a body must be a form ({_FORM}), not {ascii(kind[:60]) if kind else 'of unknown type'}")
    body = environ["wsgi.input"].read(length)
    if len(body) < length:
        raise Invalid(f"the body ended after {len(body)} of {length} bytes")
    return pairs_of(body)


def _length(environ: Environ) -> int:
    return int(environ.get("CONTENT_LENGTH") or 0)


def pairs_of(encoded: bytes) -> Pairs:
    """Bytes that are no UTF-8 come back as surrogates, for Parameters to refuse: the key is looked for first."""
    try:
        return parse_qsl(
            encoded.decode("utf-8", "surrogateescape"), keep_blank_values=True, errors="surrogateescape", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise Invalid(f"more than {_MAX_FIELDS} parameters") from error


class Parameters:
    """The parameters of one call, each of a known name."""

    def __init__(self, pairs: Pairs, *known: str, repeatable: str = "") -> None:
        """Raises Invalid for an unknown or repeated name and for text that is not UTF-8."""
        counts = Counter(name for name, _ in pairs)
        for name, value in pairs:
            if _SURROGATE.search(name) or _SURROGATE.search(value):
                raise Invalid(f"parameter {_shown(name)} is not valid UTF-8")
            if name not in known:
                raise Invalid(f"unknown parameter {_shown(name)}; known are {', '.join(known)}")
            if counts[name] > 1 and name != repeatable:
                raise Invalid(f"parameter {name} is given {counts[name]} times")
        self._pairs = pairs

    def text(self, name: str) -> str | None:
        return next((value for given, value in self._pairs if given == name), None)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """All values of a repeatable parameter; None when there is none."""
        return tuple(value for given, value in self._pairs if given == name) or None

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in _BOOLEANS:
            raise Invalid(f"{name} {value[:40]!r} is not a boolean; give true, yes, 1 or false, no, 0")
        return _BOOLEANS[value.lower()]

    def reference(self) -> Reference:
        return Reference(id=self.text("id"), slug=self.text("slug"), name=self.text("name"))


def _shown(name: str) -> str:
    return ascii(name[:60])
