"""An application that does nothing, served as ours is: no Bottle application on this machine answers more."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import bottle

from coal_mine.config import WsgiConfig
from coal_mine.main.serving import _server


def build() -> Callable[..., Any]:
    app = bottle.Bottle()
    app.route("/health", "GET", lambda: "ok")
    return app  # type: ignore[no-any-return]


if __name__ == "__main__":
    _server(replace(WsgiConfig(), host="127.0.0.1", port=int(sys.argv[1]))).serve(target_loader=build, wrap_loader=False)
