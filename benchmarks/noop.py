"""An application that does nothing, served as ours is: no application on this machine answers more."""

from __future__ import annotations

import sys
from dataclasses import replace

from coal_mine.config import WsgiConfig
from coal_mine.main.web import server_of
from coal_mine.web.environ import Exchange, Scope


class Noop:
    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        exchange.response_bytes(200, [("content-type", "application/json")], b'{"status": "ok"}\n')


if __name__ == "__main__":
    server_of(replace(WsgiConfig(), host="127.0.0.1", port=int(sys.argv[1]))).serve(target_loader=Noop, wrap_loader=False)
