"""The key that job calls need: the configured one, else on SQLite one that the server makes for itself, and to whom cmcli may send that."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from coal_mine.config import Config, address_path, key_path
from coal_mine.domain.errors import Invalid
from coal_mine.ids import RandomIds

_log = logging.getLogger(__name__)

_FORM = re.compile(r"[A-Za-z0-9_-]{43}\n")


def job_key(config: Config) -> str:
    """Empty when there is none, on MongoDB, where several servers could not agree on one. Raises Invalid."""
    if config.wsgi.auth_key or config.mongodb is not None:
        return config.wsgi.auth_key
    path = key_path(config.sqlite_path)
    if not path.exists():
        _make(path)
    return _read(path)


@contextmanager
def noted_address(config: Config) -> Iterator[None]:
    """For cmcli, while the server lives: whoever else listens on this machine, then or afterwards, must not get the key. Raises Invalid."""
    if config.wsgi.auth_key or config.mongodb is not None:
        yield
        return
    path, address = address_path(config.sqlite_path), f"{config.wsgi.host} {config.wsgi.port}\n"
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
        with open(handle, "w", encoding="ascii") as file:
            file.write(address)
        os.replace(name, path)
    except OSError as error:
        raise Invalid(f"{path}: the address cannot be written: {error.strerror}; set [wsgi] auth_key instead") from error
    try:
        yield
    finally:
        _forget(path, address)


def _forget(path: Path, address: str) -> None:
    try:
        if path.exists() and path.read_text("ascii") == address:
            path.unlink()
    except (OSError, UnicodeDecodeError) as error:
        _log.warning(
            "%s: cmcli may go on giving the key to whoever listens there: %s", path, error, extra={"action": "address_not_removed"}
        )


def _read(path: Path) -> str:
    try:
        text = path.read_text("ascii")
        others_may_read = bool(path.stat().st_mode & 0o077)
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path}: the key cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from error
    if not _FORM.fullmatch(text):
        raise Invalid(f"{path}: this is no key that Coal Mine has made; move the file away, or set [wsgi] auth_key")
    if others_may_read:
        raise Invalid(f"{path}: others may read the key; remove the file for a new one, or run chmod 600 on it")
    return text.strip()


def _make(path: Path) -> None:
    """It is complete as soon as it is there, and the first one stands."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # has mode 0600
        try:
            with open(handle, "w", encoding="ascii") as file:
                file.write(f"{RandomIds().key()}\n")
                file.flush()
                os.fsync(handle)
            with suppress(FileExistsError):
                os.link(name, path)
        finally:
            os.unlink(name)
    except OSError as error:
        raise Invalid(f"{path}: the key cannot be written: {error.strerror}; set [wsgi] auth_key instead") from error
