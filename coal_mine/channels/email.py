"""Mail over SMTP."""

from __future__ import annotations

import smtplib
import ssl
from email.errors import HeaderParseError
from email.utils import parseaddr
from functools import lru_cache

from coal_mine.clock import monotonic
from coal_mine.config import EmailConfig, Tls
from coal_mine.domain.errors import DeliveryFailed, DeliveryRefused
from coal_mine.domain.message import Message

from .dialogue import deliver
from .mail import compose

TIMEOUT_SECONDS = 20.0
# Servers close idle connections; an older one than this is asked whether it still lives.
_FRESH_SECONDS = 5.0


class EmailChannel:
    """Keeps one connection; used by one thread."""

    name = "mail"

    def __init__(self, settings: EmailConfig) -> None:
        self._settings = settings
        self._sender = parseaddr(settings.sender)[1]
        self._connection: smtplib.SMTP | None = None
        self._used_at = 0.0

    def send(self, address: str, message: Message) -> None:
        recipient = _plain(address)
        try:
            mail = compose(self._settings.sender, recipient, message)
        # What the library raises for what is no address; the sender's was checked with the configuration.
        except (ValueError, IndexError, AttributeError, HeaderParseError) as error:
            raise DeliveryRefused(f"{address!r} is not a mail address: {error}") from error
        try:
            connection = self._connected()
        except (smtplib.SMTPException, OSError) as error:
            raise self._failed(error) from error
        try:
            deliver(connection, self._sender, recipient, mail)
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
        if self._connection and not self._can_be_used(self._connection):
            self.close()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _can_be_used(self, connection: smtplib.SMTP) -> bool:
        if connection.sock is None:  # given up after the last mail
            return False
        return monotonic() - self._used_at <= _FRESH_SECONDS or _lives(connection)

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        connection: smtplib.SMTP
        if settings.tls is Tls.IMPLICIT:
            connection = smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT_SECONDS, context=_trust())
        else:
            connection = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_SECONDS)
        try:
            if settings.tls is Tls.STARTTLS:
                connection.starttls(context=_trust())
            if settings.username:
                connection.login(settings.username, settings.password)
        except Exception:
            connection.close()
            raise
        return connection


def _trust() -> ssl.SSLContext:
    """Made only where it is used: to read the authorities' certificates takes longer than a mail."""
    return ssl.create_default_context()


@lru_cache(maxsize=1_024)
def _plain(address: str) -> str:
    return parseaddr(address)[1] or address


def _lives(connection: smtplib.SMTP) -> bool:
    try:
        return bool(connection.noop()[0] == 250)
    except (smtplib.SMTPException, OSError):
        return False


def _outcome(code: int, answer: bytes | str) -> Exception:
    """5xx is the other side's last word, 4xx is not."""
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return (DeliveryRefused if code >= 500 else DeliveryFailed)(f"{code} {text}")
