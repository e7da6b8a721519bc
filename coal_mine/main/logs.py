"""Where log lines go."""

from __future__ import annotations

import logging
import sys
import time

from coal_mine.config import LoggingConfig
from coal_mine.domain.text import printable


class _OneLine(logging.Formatter):
    """UTC times; a line break in a message, which may hold a stranger's text, cannot begin a line of its own."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        record.message = printable(record.message)
        return super().formatMessage(record)


def set_up(config: LoggingConfig) -> None:
    """Raises OSError when the file cannot be written."""
    handler: logging.Handler
    if config.file is None:
        handler = logging.StreamHandler(sys.stderr)
    elif config.rotate:
        from concurrent_log_handler import ConcurrentRotatingFileHandler

        # Several processes write to the file, and only one of them may rotate it.
        handler = ConcurrentRotatingFileHandler(str(config.file), "a", config.max_size, config.backup_count, encoding="utf-8")
    else:
        handler = logging.FileHandler(config.file, encoding="utf-8")
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(processName)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
