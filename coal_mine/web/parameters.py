"""Reading what a request says: the query string and, for POST, a form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from coal_mine.domain.errors import Invalid, TooLarge
from coal_mine.domain.times import END_OF_TIME, EPOCH, cut
from coal_mine.services.canaries import Reference

from .environ import Environ

# The README lists this limit. The longest legal request, a hundred addresses and a full description, fits.
MAX_BODY = 256 * 1024
_MAX_FIELDS = 300
_FORM = "application/x-www-form-urlencoded"
_SURROGATE = re.compile("[\ud800-\udfff]")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1970, 9000
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}

Pairs = list[tuple[str, str]]
REFERENCE = ("id", "slug", "name")  # what names a canary


def query_pairs(environ: Environ) -> Pairs:
    return pairs_of(environ.get("QUERY_STRING", "").encode("latin-1"))


def has_body(environ: Environ) -> bool:
    """Is there a body that form_pairs would have to wait for?"""
    return environ["REQUEST_METHOD"] == "POST" and (length_of(environ) > 0 or "HTTP_TRANSFER_ENCODING" in environ)


def form_pairs(environ: Environ) -> Pairs:
    """The fields of a POSTed form; none for other methods. Raises TooLarge before reading anything, Invalid for what is no whole form."""
    if not has_body(environ):
        return []
    if "HTTP_TRANSFER_ENCODING" in environ:
        # The server would not tell us that the connection broke in the middle, and we would act on half a form.
        raise Invalid("a body must come with its Content-Length, not in chunks")
    length = length_of(environ)
    if length > MAX_BODY:
        raise TooLarge(f"the body has {length} bytes; at most {MAX_BODY} are allowed")
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise Invalid(f"a body must be a form ({_FORM}), not {ascii(kind[:60]) if kind else 'of unknown type'}")
    body = environ["wsgi.input"].read(length)
    if len(body) < length:
        raise Invalid(f"the body ended after {len(body)} of {length} bytes")
    return pairs_of(body)


def length_of(environ: Environ) -> int:
    return int(environ.get("CONTENT_LENGTH") or 0)


def pairs_of(encoded: bytes) -> Pairs:
    """Bytes that are no UTF-8 come back as surrogates, for Parameters to refuse: the key is looked for first."""
    try:
        return parse_qsl(
            encoded.decode("utf-8", "surrogateescape"), keep_blank_values=True, errors="surrogateescape", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise Invalid(f"more than {_MAX_FIELDS} parameters") from error


def refuse_odd_letters(pairs: Pairs) -> None:
    """Raises Invalid for what is not UTF-8."""
    for name, value in pairs:
        if _SURROGATE.search(name) or _SURROGATE.search(value):
            raise Invalid(f"parameter {_shown(name)} is not valid UTF-8")


class Parameters:
    """The parameters of one call, each of a known name."""

    def __init__(self, pairs: Pairs, *known: str, repeatable: str = "") -> None:
        """Raises Invalid for an unknown or repeated name and for text that is not UTF-8."""
        refuse_odd_letters(pairs)
        counts = Counter(name for name, _ in pairs)
        for name, _ in pairs:
            if name not in known:
                listed = f"known are {', '.join(known)}" if known else "this call has none"
                raise Invalid(f"unknown parameter {_shown(name)}; {listed}")
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

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole one."""
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and len(value) <= 18 and low <= int(value) <= high):
            raise Invalid(f"{name} {value[:40]!r} is not a whole number from {low} to {high}")
        return int(value)

    def choice(self, name: str, default: str, known: Collection[str]) -> str:
        value = self.text(name)
        if value is None:
            return default
        if value not in known:
            raise Invalid(f"{name} {value[:40]!a} is none of {', '.join(known)}")
        return value

    def moment(self, name: str) -> datetime | None:
        """A time such as 2026-11-22T10:00:00Z; without an offset it is UTC."""
        value = self.text(name)
        if value is None:
            return None
        # The plus sign of an offset is a blank in a query, unless somebody has thought of that.
        text = value.upper().replace(" ", "+")
        try:
            moment = datetime.fromisoformat(text.replace(":60", ":59") if _MOMENT.fullmatch(text) else "")
        except ValueError:
            raise Invalid(f"{name} {value[:40]!a} is not a time such as 2026-11-22T10:00:00Z") from None
        if not _FIRST_YEAR < moment.year < _LAST_YEAR:  # when nothing happens that we could tell
            return EPOCH if moment.year <= _FIRST_YEAR else END_OF_TIME
        return cut(moment if moment.tzinfo else moment.replace(tzinfo=UTC))

    def reference(self) -> Reference:
        return Reference(id=self.text("id"), slug=self.text("slug"), name=self.text("name"))


def _shown(name: str) -> str:
    return ascii(name[:60])
