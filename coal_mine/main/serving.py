"""Processes: who is started, and who watches whom."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable

from coal_mine.clock import monotonic
from coal_mine.config import Config, WsgiConfig
from coal_mine.domain.errors import CoalMineError, Invalid

from . import logs
from .ending import STOP_SECONDS, end_with_parent, signal_to_end
from .parts import Parts
from .roles import Roles

_log = logging.getLogger(__name__)

_RESTART_SECONDS = 1.0
_LOOK_SECONDS = 0.2
_SHORT_LIFE_SECONDS = 5.0
_MAX_SHORT_LIVES = 5


def serve_loops(config: Config, roles: Roles) -> None:
    """Run without HTTP until SIGTERM or SIGINT."""
    wait = signal_to_end()
    end_with_parent()
    parts = Parts(config, roles)
    try:
        parts.start()
        wait()
    finally:
        parts.stop()


def supervise(config: Config) -> None:
    """Web, background and node each in a process of its own, started again when they die, until SIGTERM or SIGINT.

    Raises CoalMineError when one of them keeps dying right after its start: whoever started us shall know.
    """
    wait = signal_to_end()
    stopping = threading.Event()
    targets = [("web", _web_process), ("background", _background_process), *([("node", _node_process)] if config.node else [])]
    keepers = [_Keeper(name, target, config, stopping) for name, target in targets]
    for keeper in keepers:
        keeper.start()
    wait()
    stopping.set()
    for keeper in keepers:
        keeper.join()
    for keeper in keepers:
        if keeper.gave_up:
            raise CoalMineError(f"the {keeper.name} process ended {_MAX_SHORT_LIVES} times right after its start; the log says why")


def checked_address(config: WsgiConfig) -> tuple[str, int]:
    """Host and port, port 0 replaced by a free one. Raises Invalid when they cannot be listened on.

    Granian shares a port with whoever listens on it already, so we must find out before.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as error:
            hint = "; ports below 1024 are root's, choose another with --port" if isinstance(error, PermissionError) else ""
            raise Invalid(f"cannot listen on {config.host}:{config.port}: {error.strerror}{hint}") from error
        return config.host, int(probe.getsockname()[1])


class _Keeper(threading.Thread):
    """Keeps one process alive."""

    def __init__(self, name: str, target: Callable[[Config], None], config: Config, stopping: threading.Event) -> None:
        super().__init__(name=name)
        self.gave_up = False
        self._target = target
        self._config = config
        self._stopping = stopping

    def run(self) -> None:
        short_lives = 0
        while not self._stopping.is_set():
            begin = monotonic()
            self._live_once()
            if self._stopping.is_set():
                return
            short_lives = short_lives + 1 if monotonic() - begin < _SHORT_LIFE_SECONDS else 0
            if short_lives == _MAX_SHORT_LIVES:
                self.gave_up = True
                os.kill(os.getpid(), signal.SIGTERM)  # ends the others, too
                return
            self._stopping.wait(_RESTART_SECONDS)

    def _live_once(self) -> None:
        # Not forked: this process has threads.
        process = multiprocessing.get_context("spawn").Process(target=self._target, args=(self._config,), name=self.name)
        process.start()
        while process.is_alive() and not self._stopping.wait(_LOOK_SECONDS):
            pass
        if self._stopping.is_set():
            process.terminate()
            process.join(STOP_SECONDS)
            process.kill()
        else:
            _log.error("the %s process ended with status %s; starting it again", self.name, process.exitcode, extra={"action": "respawn"})


def _web_process(config: Config) -> None:
    multiprocessing.set_start_method("fork", force=True)  # the workers' way again, instead of the one by which we came
    logs.set_up(config.logging)
    end_with_parent()
    from .web import serve_web  # here alone: other processes need no HTTP server, and its memory is a good part of theirs

    serve_web(config, Roles(web=True))


def _background_process(config: Config) -> None:
    logs.set_up(config.logging)
    serve_loops(config, Roles(background=True))


def _node_process(config: Config) -> None:
    logs.set_up(config.logging)
    serve_loops(config, Roles(node=True))
