"""From the HTTP server's event loop to the threads in which the WSGI application works."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .environ import Environ, Exchange, Fields, Scope, values_of
from .responses import Answer, Headers, TooSlow
from .turns import Turns

# Requests that are under way at once, most of them waiting for a body, the store or their turn; each costs a thread. More wait.
THREADS = 64
# From the moment in which the request is here; the largest body allowed is small.
BODY_SECONDS = 20.0
# A request may have waited long for its thread. What has come of the body by then must still be read.
_LEAST_BODY_SECONDS = 1.0

WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Bridge:
    """Serves a WSGI application whose answers are whole, never streams."""

    def __init__(self, app: WsgiApp, turns: Turns) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._turns = turns

    async def answer(self, scope: Scope, exchange: Exchange) -> Answer:
        loop = asyncio.get_running_loop()
        body = _Body(exchange, loop, self._turns)
        try:
            return await loop.run_in_executor(self._threads, self._answer, _environ(scope, body))
        finally:
            body.forget()

    def _answer(self, environ: Environ) -> Answer:
        started: list[tuple[int, Headers]] = []

        def start_response(status: str, headers: Headers, _exc_info: Any = None) -> None:
            started.append((int(status.partition(" ")[0]), [(name.lower(), value) for name, value in headers]))

        with self._turns.taken():
            body = b"".join(self._app(environ, start_response))
        return Answer(*started[-1], body)


class _Body:
    """The body as a thread reads it: only what is asked for, and only when it is."""

    def __init__(self, exchange: Exchange, loop: asyncio.AbstractEventLoop, turns: Turns) -> None:
        self._exchange = exchange
        self._turns = turns
        self._loop = loop
        self._expires = loop.time() + BODY_SECONDS

    def read(self, size: int) -> bytes:
        """At most `size` bytes, fewer if the client ended earlier. Raises TooSlow."""
        with self._turns.given_away():
            return asyncio.run_coroutine_threadsafe(self._received(size), self._loop).result()

    def forget(self) -> None:
        """Bottle keeps each thread's last request, and a connection cannot end while there is a way to what has not come of its body."""
        del self._exchange

    async def _received(self, size: int) -> bytes:
        received = bytearray()
        try:
            async with asyncio.timeout_at(max(self._expires, self._loop.time() + _LEAST_BODY_SECONDS)):
                async for chunk in self._exchange:
                    received += chunk
                    if len(received) >= size:
                        break
        except TimeoutError:
            raise TooSlow(f"the body did not come within {BODY_SECONDS:.0f} seconds") from None
        except RuntimeError:  # the connection is gone
            return bytes(received)
        return bytes(received[:size])


def _environ(scope: Scope, body: _Body) -> Environ:
    """As PEP 3333 has it: texts are bytes in the guise of Latin-1."""
    server, _, port = scope.server.rpartition(":")
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string.encode().decode("latin-1"),
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return environ | _variables(scope.headers)


def _variables(fields: Fields) -> dict[str, str]:
    """The header. What has an underscore in its name could pass for another field, Content_Length for Content-Length, and is left out."""
    return {_variable(name): ",".join(values_of(fields, name)) for name in fields if "_" not in name}


def _variable(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{key}"
