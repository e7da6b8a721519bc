"""What texts of users may hold and how long they may be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coal_mine.domain.errors import Invalid
from coal_mine.domain.text import (
    MAX_COMMENT,
    MAX_DESCRIPTION,
    MAX_EMAIL,
    MAX_EMAILS,
    MAX_NAME,
    checked_comment,
    checked_description,
    checked_emails,
    checked_name,
    printable,
)

CHECKS = {
    "name": (checked_name, MAX_NAME),
    "description": (checked_description, MAX_DESCRIPTION),
    "comment": (checked_comment, MAX_COMMENT),
}
FIELDS = pytest.mark.parametrize("field", CHECKS)


@FIELDS
def test_a_text_as_long_as_the_limit_is_accepted(field: str) -> None:
    check, limit = CHECKS[field]

    assert check("é" * limit) == "é" * limit


@FIELDS
def test_a_longer_text_is_refused_with_both_lengths(field: str) -> None:
    check, limit = CHECKS[field]

    with pytest.raises(Invalid, match=f"{field} has {limit + 1} characters; at most {limit} are allowed"):
        check("a" * (limit + 1))


@FIELDS
@pytest.mark.parametrize("sign", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"])
def test_a_control_character_is_refused_with_its_place(field: str, sign: str) -> None:
    check, _ = CHECKS[field]

    with pytest.raises(Invalid, match=rf"{field} contains the control character U\+{ord(sign):04X} at position 3"):
        check(f"ab{sign}c")


@pytest.mark.parametrize("sign", ["\n", "\r", "\t"])
def test_a_name_stays_on_one_line(sign: str) -> None:
    with pytest.raises(Invalid, match="name contains the control character"):
        checked_name(f"Backup{sign}Bcc: victim@example.com")


@pytest.mark.parametrize("check", [checked_description, checked_comment])
def test_a_description_and_a_comment_may_have_lines(check: Callable[[str], str]) -> None:
    assert check("first\r\n\tsecond\n") == "first\r\n\tsecond\n"


def test_addresses_keep_their_order_and_lose_repetitions() -> None:
    assert checked_emails(["jo@example.com", " al@example.com ", "jo@example.com"]) == ("jo@example.com", "al@example.com")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "jo",
        "@example.com",
        "jo@",
        "jo@x@example.com",
        "jo@example.com, al@example.com",
        "jo@example.com,al@example.com",
        "Jo <jo@example.com>",
        "jo@example.com\nBcc: victim@example.com",
        "jo @example.com",
        "jö@example.com",
        "jo@example.com\0",
    ],
)
def test_what_is_not_one_plain_address_is_refused(address: str) -> None:
    with pytest.raises(Invalid, match="email"):
        checked_emails([address])


@pytest.mark.parametrize(("address", "hint"), [("jo", ""), ("jo@x.org,al@x.org", " (give each address by itself)")])
def test_who_gives_several_addresses_as_one_is_told_to_give_each_by_itself(address: str, hint: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_emails([address])

    assert str(refused.value) == f"email {address!r} is not an address such as jo@example.com{hint}"


def test_an_address_longer_than_mail_allows_is_refused() -> None:
    with pytest.raises(Invalid, match=f"email has {MAX_EMAIL + 1} characters"):
        checked_emails(["a" * (MAX_EMAIL - 11) + "@example.com"])


def test_too_many_addresses_are_refused() -> None:
    with pytest.raises(Invalid, match="at most 100 addresses"):
        checked_emails([f"jo{number}@example.com" for number in range(MAX_EMAILS + 1)])


@given(st.text(st.characters()))
def test_a_printable_text_is_one_line_that_can_be_encoded(text: str) -> None:
    assert len(printable(text).encode().decode().splitlines()) <= 1


def test_a_printable_text_keeps_its_letters() -> None:
    assert printable("Café\tdu\nport ☃") == "Café du port ☃"
