"""The process that serves HTTP. Only it imports this module, and with it all that HTTP needs."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from coal_mine.config import Config, WsgiConfig
from coal_mine.web.app import App

from .ending import ASK_AGAIN_SECONDS, STOP_SECONDS, end_with_parent, signal_to_end
from .parts import Parts
from .roles import Roles

# Connections that may be open at once; each costs memory only.
CONNECTIONS = 8_192
HEADER_MILLISECONDS = 5_000


def serve_web(config: Config, roles: Roles) -> None:
    """Serve HTTP until SIGTERM or SIGINT; other roles run beside it in the same worker process."""

    def make_app() -> App:
        # In the worker process, after the fork. Its signals are its own.
        signal.set_wakeup_fd(-1)
        end_with_parent()
        parts = Parts(config, roles)
        try:
            parts.start()
        except BaseException:
            parts.stop()
            raise
        threading.Thread(target=_stop_after_main, args=(parts,), name="stopper").start()
        _heed_one_signal(asyncio.get_event_loop())
        return parts.make_app()

    server = server_of(config.wsgi)
    server.on_startup(lambda: _end_by_signal(server))
    server.serve(target_loader=make_app, wrap_loader=False)


def server_of(config: WsgiConfig) -> Any:  # Granian's server classes have no common type
    return Granian(
        "coal-mine",
        address=config.host,
        port=config.port,
        interface=Interfaces.RSGI,
        loop=Loops.asyncio,
        workers=config.workers,
        backpressure=CONNECTIONS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
        websockets=False,
        ssl_cert=config.tls_certificate,
        ssl_key=config.tls_key,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels.error,
        # Keep our handlers, and let Granian's errors reach them.
        log_dictconfig={"incremental": True, "handlers": {}, "loggers": {"_granian": {"propagate": True}}},
    )


def _heed_one_signal(loop: asyncio.AbstractEventLoop) -> None:
    """Granian's handlers, which it adds next, have room for two signals. A third one would block the loop for ever while requests are under
    way, and a worker may get many: from its parent, from `end_with_parent`, from systemd and from a terminal.
    """
    add, heeded = loop.add_signal_handler, threading.Event()

    def add_once(number: int, callback: Callable[..., Any], *arguments: Any) -> None:
        def once() -> None:
            if not heeded.is_set():
                heeded.set()
                callback(*arguments)

        add(number, once)

    loop.add_signal_handler = add_once  # type: ignore[assignment]  # mypy wants its type variables


def _stop_after_main(parts: Parts) -> None:
    """The worker's main thread returns when it has answered what it had accepted."""
    threading.main_thread().join()
    parts.stop()


def _end_by_signal(server: Any) -> None:
    """In the place of Granian's handlers, which lock themselves up when a second signal interrupts the first one's."""
    wait = signal_to_end()
    waits = threading.Event()

    def end() -> None:
        waits.set()
        wait()
        server.signal_handler_interrupt()
        while True:  # Granian tells a worker once, and one that is just starting has its parent's handler, which does not end it
            threading.Event().wait(ASK_AGAIN_SECONDS)
            for worker in list(server.wrks):
                worker.terminate()

    threading.Thread(target=end, name="signals", daemon=True).start()
    waits.wait()  # the workers are forked next, and a thread that only reads from a pipe holds no lock that they could need
