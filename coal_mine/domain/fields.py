"""Reading a JSON object that a stranger wrote: each value has a known name and a checked type, and each error names the field."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from .errors import Invalid
from .text import check_text

_T = TypeVar("_T")
_Choice = TypeVar("_Choice", bound=StrEnum)
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number", type(None): "null"}


def kind_of(value: object) -> str:
    return _KINDS.get(type(value), type(value).__name__)


class Fields:
    """The members of one object. What was not asked for when `refuse_rest` is called is unknown, and refused.

    null is as good as absent: clients write both.
    """

    def __init__(self, value: object, where: str = "", *, lenient: bool = False) -> None:
        """`where` is how messages name the object, such as "retries"; empty for the outermost. Raises Invalid when it is none.

        With `lenient`, unknown members are passed over, here and in objects inside.
        """
        if not isinstance(value, dict):
            raise Invalid(f"{where or 'the body'} is {kind_of(value)}, not an object")
        self._members = value
        self._where = where
        self._lenient = lenient
        self._known: list[str] = []

    def path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def error(self, name: str, fault: str) -> Invalid:
        return Invalid(f"{self.path(name)} {fault}")

    def has(self, name: str) -> bool:
        return self.raw(name) is not None

    def raw(self, name: str) -> Any:
        self._known.append(name)
        return self._members.get(name)

    def refuse_rest(self) -> None:
        unknown = None if self._lenient else next((name for name in self._members if name not in self._known), None)
        if unknown is not None:
            raise Invalid(f"unknown field {self.path(str(unknown)[:60])!a}; known are {', '.join(dict.fromkeys(self._known))}")

    def text(self, name: str, default: str = "", *, most: int, lines: bool = False) -> str:
        """At most so many characters; without control characters, line breaks excepted where `lines`."""
        value = self.raw(name)
        if value is None:
            return default
        return self.checked_text(self.path(name), value, most, lines=lines)

    @staticmethod
    def checked_text(path: str, value: object, most: int, *, lines: bool = False) -> str:
        if not isinstance(value, str):
            raise Invalid(f"{path} is {kind_of(value)}, not a text")
        check_text(value, path, most, allow_lines=lines)
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.error(name, f"is {kind_of(value)}, not true or false")
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self.number(name, default, low, high)
        if value != int(value):
            raise self.error(name, f"is {value}, not a whole number")
        return int(value)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        found = self.optional_number(name, low, high)
        return default if found is None else found

    def optional_number(self, name: str, low: float, high: float) -> float | None:
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(name, f"is {kind_of(value)}, not a number")
        if not low <= value <= high or not math.isfinite(value):
            raise self.error(name, f"is {'too large' if abs(value) >= 1e18 else value}; it must lie between {low:g} and {high:g}")
        return value

    def choice(self, name: str, kind: type[_Choice], default: _Choice) -> _Choice:
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, str) or value not in list(kind):
            raise self.error(name, f"is {ascii(value)[:60]}, which is none of {', '.join(kind)}")
        return kind(value)

    def items(self, name: str, most: int) -> list[Any]:
        value = self.raw(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.error(name, f"is {kind_of(value)}, not a list")
        if len(value) > most:
            raise self.error(name, f"has {len(value)} elements; at most {most} are allowed")
        return value

    def texts(self, name: str, *, most: int, longest: int, lines: bool = False) -> tuple[str, ...]:
        return tuple(
            self.checked_text(f"{self.path(name)}[{place}]", item, longest, lines=lines)
            for place, item in enumerate(self.items(name, most))
        )

    def words(self, name: str, pattern: re.Pattern[str], meaning: str, *, most: int) -> tuple[str, ...]:
        """Different texts that all match the pattern, in the order given."""
        words = dict.fromkeys(self.texts(name, most=most, longest=200))
        for word in words:
            if not pattern.fullmatch(word):
                raise self.error(name, f"{word!r} is not {meaning}")
        return tuple(words)

    def mapping(
        self, name: str, keys: re.Pattern[str], meaning: str, *, most: int, longest: int, lines: bool = False
    ) -> tuple[tuple[str, str], ...]:
        """An object of texts whose names match the pattern, in the order given."""
        value = self.raw(name)
        if value is None:
            return ()
        if not isinstance(value, dict):
            raise self.error(name, f"is {kind_of(value)}, not an object")
        if len(value) > most:
            raise self.error(name, f"has {len(value)} members; at most {most} are allowed")
        for key in value:
            if not keys.fullmatch(key):
                raise self.error(name, f"{key[:60]!a} is not {meaning}")
        return tuple((key, self.checked_text(f"{self.path(name)}.{key}", text, longest, lines=lines)) for key, text in value.items())

    def inside(self, value: object, where: str) -> Fields:
        return Fields(value, where, lenient=self._lenient)

    def part(self, name: str, read: Callable[[Fields], _T], default: _T) -> _T:
        """An object inside, read to its end."""
        value = self.raw(name)
        if value is None:
            return default
        inner = self.inside(value, self.path(name))
        found = read(inner)
        inner.refuse_rest()
        return found
