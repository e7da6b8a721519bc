"""Limits and rules for the texts that users give: names, slugs, descriptions, comments, addresses."""

from __future__ import annotations

import re

from .errors import Invalid

# The README lists these limits; characters, not bytes.
MAX_NAME = 255
MAX_DESCRIPTION = 10_000
MAX_COMMENT = 4_096
MAX_PERIODICITY = 4_096
MAX_SEARCH = 1_000
MAX_EMAILS = 100
MAX_EMAIL = 254

_ADDRESS = re.compile(r"[!-~]+@[!-~]+")
_ADDRESS_FORBIDDEN = re.compile(r'[,;:<>()\[\]"\\]')
# Control characters, line separators and lone surrogates: they forge headers and log lines, and some cannot be stored.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNPRINTABLE_BUT_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def slug_of(name: str) -> str:
    """The name in lower case, each run of blanks, underscores and hyphens as one hyphen, all else but letters and digits left out."""
    hyphenated = re.sub(r"[-_\s]+", "-", name.lower())
    return re.sub(r"[^\w-]", "", hyphenated)


def checked_name(name: str) -> str:
    check_text(name, "name", MAX_NAME, allow_lines=False)
    if not slug_of(name).strip("-"):
        raise Invalid("name must contain at least one letter or digit")
    return name


def checked_description(text: str) -> str:
    check_text(text, "description", MAX_DESCRIPTION, allow_lines=True)
    return text


def checked_comment(text: str) -> str:
    check_text(text, "comment", MAX_COMMENT, allow_lines=True)
    return text


def checked_emails(addresses: list[str]) -> tuple[str, ...]:
    """The addresses without repetitions, in the order given."""
    if len(addresses) > MAX_EMAILS:
        raise Invalid(f"email is given {len(addresses)} times; at most {MAX_EMAILS} addresses are allowed")
    return tuple(dict.fromkeys(_checked_email(address.strip()) for address in addresses))


def is_address(text: str) -> bool:
    return bool(_ADDRESS.fullmatch(text)) and text.count("@") == 1 and not _ADDRESS_FORBIDDEN.search(text)


def _checked_email(address: str) -> str:
    check_text(address, "email", MAX_EMAIL, allow_lines=False)
    if not is_address(address):
        hint = " (give each address by itself)" if address.count("@") > 1 else ""
        raise Invalid(f"email {address!r} is not an address such as jo@example.com{hint}")
    return address


def check_text(text: str, field: str, limit: int, *, allow_lines: bool) -> None:
    if len(text) > limit:
        raise Invalid(f"{field} has {len(text)} characters; at most {limit} are allowed")
    found = (_UNPRINTABLE_BUT_LINES if allow_lines else _UNPRINTABLE).search(text)
    if found:
        raise Invalid(f"{field} contains the control character U+{ord(found[0]):04X} at position {found.start() + 1}")


def printable(text: str) -> str:
    """The text on one line without control characters, for headers and log lines; old databases may hold anything."""
    return _UNPRINTABLE.sub(" ", text)
