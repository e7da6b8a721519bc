"""Alerts that go to the log: of canaries without addresses, and all of them as long as there are no mail settings."""

from __future__ import annotations

import logging

from coal_mine.domain.message import Message

_log = logging.getLogger(__name__)


class LogChannel:
    """Takes everything at once."""

    name = "the log"

    def send(self, address: str, message: Message) -> None:
        """One line for each line of the message that says something."""
        whom = "" if address == "log" else f" for {address}"
        for line in message.told:
            _log.warning("ALERT%s: %s", whom, line, extra={"action": "alert_logged"})

    def close(self) -> None:
        """There is nothing to drop."""
