"""Searching with a regular expression that a stranger may have written: RE2 needs time linear in the text, whatever the expression."""

from __future__ import annotations

from collections.abc import Callable

import re2

from coal_mine.domain.canary import Canary
from coal_mine.domain.errors import Invalid
from coal_mine.domain.text import MAX_SEARCH

_MAX_MEMORY = 8 << 20  # bytes for one compiled expression


def matcher(expression: str) -> Callable[[Canary], bool]:
    """Does the expression match anywhere in the name, id, slug or an address, case-sensitively? Raises Invalid."""
    if len(expression) > MAX_SEARCH:
        raise Invalid(f"search has {len(expression)} characters; at most {MAX_SEARCH} are allowed")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        search = re2.compile(expression, options).search
    except re2.error as error:
        fault = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else error
        raise Invalid(f"search is not a regular expression of RE2's syntax: {fault}") from error
    return lambda canary: any(search(text) for text in (canary.name, canary.id, canary.slug, *canary.emails))
