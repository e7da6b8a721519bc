"""A message as a mail, in the bytes that go over the wire.

Each header is made by the library where it holds anything that needs care, and joined here: email.message would parse every header of
every mail again, which takes longer than sending it.
"""

from __future__ import annotations

import hashlib
from binascii import b2a_qp
from email.header import Header
from email.headerregistry import Address
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from functools import lru_cache

from coal_mine.domain.message import Message
from coal_mine.domain.text import printable

# Of a line, without its end; RFC 5322, 2.1.1.
_MAX_LINE = 998
_ROOM_FOR_SUBJECT = 78 - len("Subject: ")


def compose(sender: str, recipient: str, message: Message) -> bytes:
    """Nothing in a message can become a header of its own.

    Raises ValueError, IndexError, AttributeError or HeaderParseError for what is no address.
    """
    encoding, body = _body(message.body)
    further = "".join(f"{name}: {printable(value)}\r\n" for name, value in message.headers)
    head = (
        f"{_addresses(sender, recipient)}Subject: {_subject(message.subject)}\r\nDate: {format_datetime(message.at)}\r\n"
        f"Message-ID: <{hashlib.sha256(message.id.encode()).hexdigest()[:32]}@{_domain(sender)}>\r\n"
        f"{further}"
        "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    )
    return head.encode() + body


@lru_cache(maxsize=1_024)
def _addresses(sender: str, recipient: str) -> str:
    """In a storm, many mails go from one address to a few."""
    name, plain = parseaddr(sender)
    policy = SMTP if (plain + recipient).isascii() else SMTPUTF8
    whom = {"From": Address(name or "Coal Mine", addr_spec=plain), "To": Address(addr_spec=recipient)}
    return "".join(policy.header_factory(header, address).fold(policy=policy) for header, address in whom.items())


@lru_cache(maxsize=16)
def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _subject(text: str) -> str:
    """As it is where no reader can take it for anything else, otherwise as encoded words."""
    if len(text) <= _ROOM_FOR_SUBJECT and text.isascii() and text.isprintable() and "=?" not in text:
        return text
    return Header(text, "utf-8", header_name="Subject").encode(linesep="\r\n")


def _body(text: str) -> tuple[str, bytes]:
    """Its encoding, and the lines in it."""
    lines = text.splitlines()
    body = "".join(f"{line}\r\n" for line in lines)
    if body.isascii() and max(map(len, lines), default=0) <= _MAX_LINE:
        return "7bit", body.encode()
    return "quoted-printable", b2a_qp(body.encode())
