"""A real HTTP server that has power over instances: it is asked by PUT, and records what came."""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Asked:
    target: str  # as it stood in the request
    headers: dict[str, str]  # names in small letters
    body: bytes


class Cloud:
    """On a free port of 127.0.0.1, encrypted if told how. Each call is answered like the last settings say, once it may be."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.status = 200
        self.answer = b"done\n"
        self.location = ""  # where a redirect leads
        self.is_endless = False  # its answers never come to an end
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Cloud:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self.may_answer.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                cloud.asked.append(Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                cloud.may_answer.wait()
                self.send_response(cloud.status)
                if cloud.location:
                    self.send_header("Location", cloud.location)
                if not cloud.is_endless:
                    self.send_header("Content-Length", str(len(cloud.answer)))
                self.end_headers()
                self.wfile.write(cloud.answer)
                while cloud.is_endless and not cloud._over.wait(0.05):
                    self.wfile.write(b".")

            def log_message(self, *_: Any) -> None:
                """Not into the tests' output."""

        return Handler
