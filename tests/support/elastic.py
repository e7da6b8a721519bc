"""A real HTTP server that speaks what Elasticsearch's client needs to write documents, and that can be in a bad mood."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Document = dict[str, Any]


class Elastic:
    """On a port of 127.0.0.1 that stays its own while it is down. `documents` are by index and id, in the order in which they came."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.documents: dict[tuple[str, str], Document] = {}
        self.requests: list[Mapping[str, str]] = []  # the headers of each
        self.paths: list[str] = []
        self.sizes: list[int] = []  # how many documents each one that was understood had
        self.faults: dict[str, tuple[int, str]] = {}  # by parts of documents' ids: status and type
        self.may_answer = threading.Event()
        self.forget()
        # Bound, but not listening: nobody else gets the port while the server is down.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self.port: int = self._place.getsockname()[1]
        self._server: ThreadingHTTPServer | None = None
        self._thread = threading.Thread()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Elastic:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        self._place.close()

    def forget(self) -> None:
        """It is empty, and in a good mood."""
        for found in (self.documents, self.requests, self.paths, self.sizes, self.faults):
            found.clear()
        self.status = 200  # for whole requests
        self.cause = ""  # of the faults
        self.fault: Any = {"type": "unavailable", "reason": "not now"}  # what is said with another one
        self.most_bytes = 1 << 30  # in a request
        self.is_elasticsearch = True
        self.may_answer.set()

    def start(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        if self._tls:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        """Nobody listens any more, and open connections are of no use. May be called twice."""
        server, self._server = self._server, None
        self.may_answer.set()
        if server:
            server.shutdown()
            self._thread.join()
            server.server_close()

    def ids(self) -> list[str]:
        return [document_id for _, document_id in self.documents]

    def bulk(self, body: bytes) -> tuple[int, Document]:
        if len(body) > self.most_bytes:
            return 413, {}
        lines = [json.loads(line) for line in body.splitlines()]
        items = [self._take(action, document) for action, document in zip(lines[::2], lines[1::2], strict=True)]
        self.sizes.append(len(items))
        return 200, {"took": 1, "errors": any("error" in item["create"] for item in items), "items": items}

    def _take(self, action: Document, document: Document) -> Document:
        index, document_id = action["create"]["_index"], action["create"]["_id"]
        status, fault = next((found for part, found in self.faults.items() if part in document_id), (201, ""))
        if status == 201 and (index, document_id) in self.documents:
            status, fault = 409, "version_conflict_engine_exception"
        result: Document = {"_index": index, "_id": document_id, "status": status}
        if fault:
            result["error"] = {"type": fault, "reason": f"{document_id} is not welcome"}
            if self.cause:
                result["error"]["caused_by"] = {"type": "illegal_argument_exception", "reason": self.cause}
        else:
            self.documents[index, document_id] = document
        return {"create": result}


class _Server(ThreadingHTTPServer):
    """That takes its port with it when it ends, as a process would: no thread goes on with an old connection."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # closed by the other side
        super().server_close()

    def handle_error(self, *_: Any) -> None:
        """A client that does not wait for the answer is no news."""


def _handler(elastic: Elastic) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            elastic.requests.append(dict(self.headers.items()))
            elastic.paths.append(self.path)
            elastic.may_answer.wait()
            status, answer = (elastic.status, {"error": elastic.fault}) if elastic.status != 200 else elastic.bulk(body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.elasticsearch+json;compatible-with=8")
            self.send_header("Content-Length", str(len(text)))
            if elastic.is_elasticsearch:
                self.send_header("X-Elastic-Product", "Elasticsearch")
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Not into the tests' output."""

    return Handler
