"""Texts of operators with places for what is known only when a run starts, such as {{.Account}}."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import Invalid

_PLACE = re.compile(r"\{\{(.*?)(?:\}\}|\Z)", re.DOTALL)
_NAME = re.compile(r"\s*\.([A-Za-z]+)\s*")


def filled(template: str, values: Mapping[str, str]) -> str:
    """Raises Invalid when it asks for something else, or for something that is empty."""
    return _PLACE.sub(lambda found: _value(found[0], found[1], values), template)


def _value(place: str, inside: str, values: Mapping[str, str]) -> str:
    known = " and ".join(f"{{{{.{name}}}}}" for name in values)
    name = _NAME.fullmatch(inside) if place.endswith("}}") else None
    if name is None or name[1] not in values:
        raise Invalid(f"{place[:100]!r} is not known; there is {known}")
    if not values[name[1]]:
        raise Invalid(f"{{{{.{name[1]}}}}} is empty")
    return values[name[1]]
