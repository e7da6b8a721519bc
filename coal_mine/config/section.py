"""Reading one section of a configuration: each setting is taken once, and every mistake is one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from coal_mine.domain.errors import Invalid
from coal_mine.domain.text import MAX_EMAIL, is_address

_T = TypeVar("_T")


class Section:
    """The settings of one section, taken one by one; what is left over at the end is a mistake."""

    def __init__(self, name: str, values: Mapping[str, str], place: Callable[[str, str], str]) -> None:
        self._name = name
        self._left = dict(values)
        self._place = place

    def take(self, setting: str, default: _T, read: Callable[[str], _T]) -> _T:
        """The setting as `read` understands it; a setting without text counts as absent."""
        text = self._left.pop(setting, "").strip()
        if not text:
            return default
        try:
            return read(text)
        except ValueError as error:
            raise self.error(setting, f"{text!r} {error}") from error

    def text(self, setting: str, default: str = "") -> str:
        return self.take(setting, default, str)

    def number(self, setting: str, default: int, low: int, high: int) -> int:
        return self.take(setting, default, lambda text: whole_number(text, low, high))

    def error(self, setting: str, fault: str) -> Invalid:
        return Invalid(f"{self._place(self._name, setting)}: {fault}")

    def rest(self) -> dict[str, str]:
        rest, self._left = self._left, {}
        return {setting: text.strip() for setting, text in rest.items()}

    def refuse_rest(self, *known: str) -> None:
        for setting in self._left:
            raise self.error(setting, f"unknown setting; [{self._name}] knows {', '.join(known)}")


def addresses(text: str) -> tuple[str, ...]:
    found = words(text)
    for address in found:
        if not is_address(address) or len(address) > MAX_EMAIL:
            raise ValueError(f"is no list of mail addresses: {address!r} is none")
    return found


def words(text: str) -> tuple[str, ...]:
    """What commas or blanks separate, each once, in the order given."""
    found = tuple(dict.fromkeys(text.replace(",", " ").split()))
    if not found:
        raise ValueError("names nothing")
    return found


def whole_number(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise ValueError(f"is not a whole number from {low} to {high}")
    return int(text)


def boolean(text: str) -> bool:
    values = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if text.lower() not in values:
        raise ValueError("is neither true nor false")
    return values[text.lower()]


def is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        has_place = bool(parts.hostname) and parts.port != 0  # a port that is none is refused here
    except ValueError:
        return False
    return has_place and parts.scheme in ("http", "https") and text.isascii() and text.isprintable() and " " not in text


def writable_file(text: str) -> Path:
    path = Path(text)
    if os.path.isdir(path):
        raise ValueError("is a directory")
    if not os.path.isdir(path.parent):
        raise ValueError(f"cannot be written: there is no directory {path.parent}")
    if not os.access(path if os.path.exists(path) else path.parent, os.W_OK):
        raise ValueError("cannot be written: Permission denied")
    return path


def readable_file(text: str) -> Path:
    try:
        Path(text).open("rb").close()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    return Path(text)


def certificates_file(text: str) -> Path:
    """From wherever the program is started that reads it. Not every process that is given the setting needs the file."""
    return Path(text).absolute()
