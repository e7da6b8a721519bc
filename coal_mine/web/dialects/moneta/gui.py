"""/gui/: the files of a web client. It comes from where it calls, so the browser's login goes along."""

from __future__ import annotations

import logging
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import bottle

from coal_mine.domain.errors import Forbidden, NotFound
from coal_mine.web.responses import Answer

from .calls import Call, Route

_INDEX = "index.html"
# An answer is held in memory until it is sent.
MAX_BYTES = 16_777_216
# What is on these pages acts with the browser's login, or with none where the address is enough, so no other site may show them as its own.
_NO_FRAMES = [("content-security-policy", "frame-ancestors 'self'"), ("x-frame-options", "SAMEORIGIN")]
_log = logging.getLogger(__name__)


class GuiRoutes:
    def __init__(self, docroot: Path | None) -> None:
        """None: nothing is served."""
        self._root = docroot
        self._away = False  # what was logged last

    def routes(self) -> list[Route]:
        if self._root is None:
            return []
        return [Route("GET", "/gui", self.enter), Route("GET", "/gui/", self.file), Route("GET", "/gui/<path:path>", self.file)]

    def enter(self, call: Call) -> Any:
        """A relative place, since a path may stand before ours."""
        return Answer(303, [("location", "gui/")], b"")

    def file(self, call: Call) -> Any:
        """Raises NotFound for what does not exist, or not inside the directory."""
        path = call.path.get("path", "")
        path = path + _INDEX if path.endswith("/") or not path else path
        if "\0" in path or any(part.startswith(".") for part in path.split("/")):  # such as .git, where the directory is a clone
            raise _nothing()
        root = os.path.realpath(self._root or "")
        self._tell_of_absence(root)
        found = os.path.realpath(os.path.join(root, path.lstrip("/")))  # wherever links lead
        if os.path.commonpath([root, found]) != root or not os.path.isfile(found):
            raise _nothing()
        bottle.request.bind(call.environ)  # static_file looks there for what the browser has already
        return _answer_of(bottle.static_file(os.path.relpath(found, root), root))

    def _tell_of_absence(self, root: str) -> None:
        """Once, whoever asks how often, and again when it has been there meanwhile."""
        away = not os.path.isdir(root)
        if away and not self._away:
            _log.error("[moneta] docroot: the directory %s is away; /gui/ has no files until it is there", self._root)
        self._away = away


def _answer_of(given: bottle.HTTPResponse) -> Answer:
    if given.status_code in (403, 404):
        raise _nothing()
    with closing(given):
        if given.body and given.content_length > MAX_BYTES:  # HEAD reads nothing
            raise Forbidden(f"larger files than {MAX_BYTES} bytes are not served at once: ask for a part of it")
        content = b"".join(part if isinstance(part, bytes) else part.encode() for part in given.body)
    return Answer(given.status_code, [*given.headerlist, *_NO_FRAMES], content)


def _nothing() -> NotFound:
    return NotFound("there is no such file")
