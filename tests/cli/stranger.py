"""An HTTP server that is not Coal Mine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes = b""
    status: int = 200
    location: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Stranger:
    """A proxy, say, or somebody else's server. It keeps what it was sent."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answer: Callable[[Seen], Answer] = lambda _: Answer(b'{"status": "ok", "canaries": []}')
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self.port = self._http.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Stranger:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _handler_for(stranger: Stranger) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            seen = Seen(self.command, self.path, dict(self.headers), body)
            stranger.seen.append(seen)
            answer = stranger.answer(seen)
            self.send_response(answer.status)
            if answer.location:
                self.send_header("Location", answer.location)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_POST = do_PUT = do_GET  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    return Handler
