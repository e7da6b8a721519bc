"""Mail over SMTP."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Any

from coal_mine.clock import monotonic
from coal_mine.config import EmailConfig, Tls
from coal_mine.domain.errors import DeliveryFailed, DeliveryRefused
from coal_mine.domain.message import Message

TIMEOUT_SECONDS = 20.0
# Servers close idle connections; an older one than this is asked whether it still lives.
_FRESH_SECONDS = 5.0
_AUTO_GENERATED = SMTP.header_factory("Auto-Submitted", "auto-generated")


class EmailChannel:
    """Keeps one connection; used by one thread."""

    name = "mail"

    def __init__(self, settings: EmailConfig) -> None:
        self._settings = settings
        self._connection: smtplib.SMTP | None = None
        self._used_at = 0.0

    def send(self, address: str, message: Message) -> None:
        recipient = parseaddr(address)[1] or address
        try:
            mail = _mail(self._settings.sender, recipient, message)
        except (ValueError, IndexError, HeaderParseError) as error:  # the sender's address was checked with the configuration
            raise DeliveryRefused(f"{address!r} is not a mail address: {error}") from error
        try:
            connection = self._connected()
        except (smtplib.SMTPException, OSError) as error:
            raise self._failed(error) from error
        try:
            connection.send_message(mail, from_addr=parseaddr(self._settings.sender)[1], to_addrs=[recipient])
        except smtplib.SMTPRecipientsRefused as error:
            raise _outcome(*error.recipients[recipient]) from error
        except smtplib.SMTPDataError as error:
            raise _outcome(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
            raise DeliveryRefused(f"{address!r} cannot be written for this mail server: {error}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise self._failed(error) from error
        self._used_at = monotonic()

    def _failed(self, error: Exception) -> DeliveryFailed:
        self.close()
        return DeliveryFailed(f"mail server {self._settings.host}:{self._settings.port}: {str(error) or type(error).__name__}")

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            try:
                connection.quit()
            except (smtplib.SMTPException, OSError):
                connection.close()

    def _connected(self) -> smtplib.SMTP:
        if self._connection and monotonic() - self._used_at > _FRESH_SECONDS and not _lives(self._connection):
            self.close()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        context = ssl.create_default_context()
        connection: smtplib.SMTP
        if settings.tls is Tls.IMPLICIT:
            connection = smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            connection = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_SECONDS)
        try:
            if settings.tls is Tls.STARTTLS:
                connection.starttls(context=context)
            if settings.username:
                connection.login(settings.username, settings.password)
        except Exception:
            connection.close()
            raise
        return connection


def _mail(sender: str, address: str, message: Message) -> EmailMessage:
    """Built by the library, so that nothing in a name can become a header of its own."""
    name, plain = parseaddr(sender)
    domain = plain.rpartition("@")[2] or "localhost"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address_header("From", name or "Coal Mine", plain)
    mail["To"] = _address_header("To", "", address)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{hashlib.sha256(message.id.encode()).hexdigest()[:32]}@{domain}>"
    mail["Auto-Submitted"] = _AUTO_GENERATED
    mail.set_content(message.body)
    return mail


@lru_cache(maxsize=1_024)
def _address_header(header: str, name: str, address: str) -> Any:
    """The library parses what it is given again and again; in a storm, many mails go from one address to a few."""
    return SMTP.header_factory(header, Address(name, addr_spec=address))


def _lives(connection: smtplib.SMTP) -> bool:
    try:
        return bool(connection.noop()[0] == 250)
    except (smtplib.SMTPException, OSError):
        return False


def _outcome(code: int, answer: bytes | str) -> Exception:
    """5xx is the other side's last word, 4xx is not."""
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return (DeliveryRefused if code >= 500 else DeliveryFailed)(f"{code} {text}")
