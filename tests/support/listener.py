"""A real HTTP server that somebody calls to say that he lives."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class Listener:
    """On a free port of 127.0.0.1. `calls` are the paths that were asked for; each is answered with `status`, once it may be."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.answered = 0
        self.status = 200
        self.location = ""  # where a redirect leads
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listener.calls.append(self.path)
                listener.may_answer.wait()
                self.send_response(listener.status)
                self.send_header("Content-Length", "0")
                if listener.location:
                    self.send_header("Location", listener.location)
                self.end_headers()
                listener.answered += 1

            def log_message(self, *_: Any) -> None:
                """Not into the tests' output."""

        return Handler
