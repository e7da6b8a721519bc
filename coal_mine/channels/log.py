"""Without mail settings alerts go to the log, where somebody may look."""

from __future__ import annotations

import logging

from coal_mine.domain.message import Message

_log = logging.getLogger(__name__)


class LogChannel:
    def send(self, address: str, message: Message) -> None:
        _log.warning("ALERT for %s: %s: %s", address, message.subject, message.body.splitlines()[0], extra={"action": "alert_logged"})

    def close(self) -> None:
        pass
