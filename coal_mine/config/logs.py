"""[logging]"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .section import Section, boolean, writable_file


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingConfig:
    file: Path | None = None  # None: standard error
    rotate: bool = False
    max_size: int = 1_048_576  # bytes
    backup_count: int = 5


def read_logging(section: Section) -> LoggingConfig:
    default = LoggingConfig()
    config = LoggingConfig(
        file=section.take("file", default.file, writable_file),
        rotate=section.take("rotate", default.rotate, boolean),
        max_size=section.number("max_size", default.max_size, 1_000, 1 << 40),
        backup_count=section.number("backup_count", default.backup_count, 1, 10_000),
    )
    section.refuse_rest("file", "rotate", "max_size", "backup_count")
    if config.file and config.rotate and not os.access(config.file.parent, os.W_OK):
        raise section.error("file", f"{str(config.file)!r} cannot be rotated: {config.file.parent} cannot be written to")
    return config
