"""How a process learns that it is to end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import connection

STOP_SECONDS = 40
# Granian would take SIGHUP for a wish to reload, with a second writer beside the first.
_END = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
ASK_AGAIN_SECONDS = 1.0


def end_with_parent() -> None:
    """Drain and stop when the process that started us is gone, however it went: nobody else would ever end us."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        while True:  # a process that is just starting still has its parent's handler, which does not end it
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(ASK_AGAIN_SECONDS)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def signal_to_end() -> Callable[[], object]:
    """What waits for the next SIGTERM, SIGINT or SIGHUP.

    The interpreter itself writes into a pipe when a signal comes. Nothing that a Python handler could do, such as setting an event, is safe
    while another signal's handler is interrupted in the middle of the same.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in _END:
        signal.signal(number, lambda *_: None)
    return lambda: os.read(reading, 1)
