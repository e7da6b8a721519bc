"""What a message looks like as a mail, read by the library."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coal_mine.channels.mail import compose
from coal_mine.domain.message import Message

AT = datetime(2026, 11, 22, 12, 0, 0, 123_000, tzinfo=UTC)
# What printable() leaves: no control characters, no line separators, no surrogates.
PRINTABLE = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\u2029")
LINES = st.text(PRINTABLE, max_size=1_200) | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=1_200)


def composed(*, subject: str = "A subject", body: str = "A body\n", name: str = "", to: str = "jo@example.com") -> bytes:
    sender = f"{name} <cm@example.com>" if name else "cm@example.com"
    return compose(sender, to, Message(id="an id", at=AT, subject=subject, body=body, told=()))


def read(mail: bytes) -> EmailMessage:
    message = email.message_from_bytes(mail, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_mail_says_who_writes_to_whom_when_and_that_no_person_did() -> None:
    headers = dict(read(composed(name="The Canaries")).items())

    assert headers == {
        "From": "The Canaries <cm@example.com>",
        "To": "jo@example.com",
        "Subject": "A subject",
        "Date": "Sun, 22 Nov 2026 12:00:00 +0000",
        "Message-ID": headers["Message-ID"],
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit",
    }
    assert headers["Message-ID"].endswith("@example.com>")


def test_a_mail_of_the_same_message_is_the_same() -> None:
    assert composed() == composed()


def test_a_name_in_any_script_is_the_senders() -> None:
    assert read(composed(name="Grübe 鉱山"))["From"] == "Grübe 鉱山 <cm@example.com>"


def test_a_domain_in_any_script_is_written_as_it_is() -> None:
    assert "To: jo@exämple.com\r\n".encode() in composed(to="jo@exämple.com")


@given(st.text(PRINTABLE, max_size=600))
@example("=?utf-8?q?=0D=0ABcc:_al@example.com?=")
@example("a" + " " * 200 + "b")
@example("x" * 2_000)
def test_any_subject_arrives_as_it_was(name: str) -> None:
    assert read(composed(subject=f"[LATE] {name}."))["Subject"] == f"[LATE] {name}."


@given(st.lists(LINES, min_size=1))
@example([".", "..", "From here", "", "=41", "end "])
@example(["ü" * 500, "x" * 998, "x" * 999])
def test_any_body_arrives_as_it_was(lines: list[str]) -> None:
    body = "\n".join(lines) + "\n"

    assert read(composed(body=body)).get_content().replace("\r\n", "\n") == body


@given(st.text(PRINTABLE, max_size=600), st.lists(LINES))
def test_no_line_is_longer_than_mail_allows(name: str, lines: list[str]) -> None:
    mail = composed(subject=name, body="\n".join(lines))

    assert max(map(len, mail.split(b"\r\n"))) <= 998


@given(st.text(max_size=100), st.text(max_size=100))
def test_a_line_never_ends_otherwise_than_mail_demands(subject: str, body: str) -> None:
    """Even of what the domain would have made printable: a lone CR or LF has been used to smuggle mails."""
    try:
        mail = composed(subject=subject, body=body)
    except ValueError:  # lone surrogates, which no mail can hold
        return
    rest = mail.replace(b"\r\n", b"")

    assert (rest.count(b"\r"), rest.count(b"\n")) == (0, 0)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\r\n\r\n", "\u2028", "\x85"])
def test_nothing_in_a_subject_becomes_a_header_of_its_own(end: str) -> None:
    assert "Bcc" not in read(composed(subject=f"A{end}Bcc: al@example.com"))


@pytest.mark.parametrize(
    "to", ["jo@example.com\r\nBcc: al@example.com", "jo@example.com>, <al@example.com", "jo", "", "jo@@example.com", ":ba@[\x0b"]
)
def test_what_is_no_address_is_no_recipient(to: str) -> None:
    with pytest.raises((ValueError, IndexError, AttributeError, HeaderParseError)):
        composed(to=to)
