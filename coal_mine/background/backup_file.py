"""A file that others may copy at any moment: it is always complete, and only its owner can read it."""

from __future__ import annotations

import glob
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

Form = Callable[[Mapping[str, Any]], bytes]

# What a process that died left half written; others may be writing theirs.
_LEFT_BEHIND_AFTER = timedelta(hours=1)
_SUFFIX = ".new"
# How a file without tasks begins, in both forms.
_NO_TASKS = (b'{\n  "tasks": {}', b"tasks: {}\n")


class BackupFile:
    """Several processes may write it; each replaces it as a whole. Every method raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def exists(self) -> bool:
        return self._path.exists()

    def content(self) -> bytes:
        """Empty when there is no file."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return b""

    def replace(self, content: bytes) -> None:
        """A crash at any moment leaves the old content or the new one. A symbolic link stays one."""
        _replace(self._path.resolve(), content)

    def keep(self, content: bytes) -> Path:
        """In a second file beside it; which one."""
        target = self._path.resolve()
        kept = target.with_name(f"{target.name}.old")
        _replace(kept, content)
        return kept

    def remove_left_behind(self, now: datetime) -> None:
        target = self._path.resolve()
        for name in glob.iglob(f"{glob.escape(str(target.parent / _prefix(target)))}*{_SUFFIX}"):
            with suppress(OSError):  # the next one will try it, too
                if os.stat(name).st_mtime < (now - _LEFT_BEHIND_AFTER).timestamp():
                    os.unlink(name)


def has_tasks(content: bytes) -> bool:
    """Whether something would be lost with it. What nobody knows counts as something."""
    return bool(content) and not content.startswith(_NO_TASKS)


def as_json(config: Mapping[str, Any]) -> bytes:
    return json.dumps(config, indent=2, ensure_ascii=False).encode() + b"\n"


def as_yaml(config: Mapping[str, Any]) -> bytes:
    import yaml  # here, since few want it

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the one in C, where it was built

    class Dumper(base):  # type: ignore[misc]  # which one, is known only now
        def ignore_aliases(self, data: object) -> bool:
            """People read the file, and programs that know no aliases."""
            return True

    text: str = yaml.dump(config, Dumper=Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True)
    return text.encode()


def _replace(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=_prefix(target), suffix=_SUFFIX)  # has mode 0600
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.replace(name, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    _sync_directory(target.parent)


def _prefix(target: Path) -> str:
    return f".{target.name}."


def _sync_directory(directory: Path) -> None:
    """So that the new name survives a power cut, too."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
