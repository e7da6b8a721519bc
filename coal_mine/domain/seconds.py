"""Numbers of seconds as users write them."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

from .errors import Invalid
from .times import END_OF_TIME, cut

MIN_SECONDS = 0.001
MAX_SECONDS = 100 * 366 * 86_400  # a hundred years: beyond it a deadline means "never"

_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+")


def parse_seconds(text: str) -> int | float:
    """A positive number of seconds; a whole number stays an int, so that JSON shows it as it was given. Raises Invalid."""
    value = float(text) if _NUMBER.fullmatch(text) else 0
    if value <= 0:
        raise Invalid(f"{text[:60]!r} is not a positive number of seconds")
    if not MIN_SECONDS <= value <= MAX_SECONDS:
        raise Invalid(f"{text[:60]!r} does not lie between {MIN_SECONDS} and {MAX_SECONDS} seconds (a hundred years)")
    return whole(value)


def whole(value: float) -> int | float:
    """3600.0 as 3600; 0.5 as it is."""
    return int(value) if math.isfinite(value) and value == int(value) else value


def later(at: datetime, seconds: float) -> datetime:
    """`at` plus the seconds, at most the end of the calendar: an old store may hold any number."""
    try:
        return min(cut(at + timedelta(seconds=seconds)), END_OF_TIME)
    except OverflowError:
        return END_OF_TIME
