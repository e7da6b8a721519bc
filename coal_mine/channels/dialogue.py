"""One mail over an open connection, in as few round trips as the mail server allows."""

from __future__ import annotations

import re
import smtplib
from contextlib import suppress
from functools import lru_cache

_Answer = tuple[int, bytes]

_GO_ON = 354
_REFUSED = 400
_GOES_AWAY = 421
_DOT = re.compile(rb"^\.", re.MULTILINE)
_quoted = lru_cache(maxsize=1_024)(smtplib.quoteaddr)


def deliver(connection: smtplib.SMTP, sender: str, recipient: str, mail: bytes) -> None:
    """Return when the server has taken it. Raises what smtplib's `sendmail` raises; both addresses must have been checked."""
    connection.ehlo_or_helo_if_needed()
    if not (sender + recipient).isascii():
        connection.sendmail(sender, [recipient], mail, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    elif connection.has_extn("pipelining"):
        _deliver_at_once(connection, sender, recipient, mail)
    else:
        connection.sendmail(sender, [recipient], mail)


def _deliver_at_once(connection: smtplib.SMTP, sender: str, recipient: str, mail: bytes) -> None:
    """Announce the mail without waiting for each answer (RFC 2920): two round trips instead of four."""
    size = f" SIZE={len(mail)}" if connection.has_extn("size") else ""
    connection.send(f"MAIL FROM:{_quoted(sender)}{size}\r\nRCPT TO:{_quoted(recipient)}\r\nDATA\r\n")
    from_, to, data = (_answer(connection) for _ in range(3))
    if _accepts(from_) and _accepts(to) and data[0] == _GO_ON:
        connection.send(_DOT.sub(b"..", mail) + b".\r\n")
        data = _answer(connection)
        if _accepts(data):
            return
    _begin_anew(connection, data)
    raise _refusal(sender, recipient, from_, to, data)


def _begin_anew(connection: smtplib.SMTP, last: _Answer) -> None:
    """Leave nothing that the next mail could become a part of.

    A server that waits for a mail although it has refused the recipient would, by RFC 2920, be sent an empty one; it might take that.
    Without the connection it must forget all of it. So must one that answers out of step.
    """
    with suppress(smtplib.SMTPServerDisconnected):
        if last[0] < _REFUSED or not _accepts(connection.rset()):
            connection.close()


def _answer(connection: smtplib.SMTP) -> _Answer:
    code, text = connection.getreply()
    if code == _GOES_AWAY:
        raise smtplib.SMTPResponseException(code, text)
    return code, text


def _accepts(answer: _Answer) -> bool:
    """The first digit decides (RFC 5321, 4.2)."""
    return answer[0] // 100 == 2


def _refusal(sender: str, recipient: str, from_: _Answer, to: _Answer, data: _Answer) -> smtplib.SMTPException:
    """What was refused first; the rest follows from it."""
    if not _accepts(from_):
        return smtplib.SMTPSenderRefused(*from_, sender)
    if not _accepts(to):
        return smtplib.SMTPRecipientsRefused({recipient: to})
    return smtplib.SMTPDataError(*data)
