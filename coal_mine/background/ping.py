"""Tells a dead-man's service outside that this one does its work; nobody inside could tell that it does not."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from coal_mine.clock import monotonic
from coal_mine.domain.errors import DeliveryFailed, DeliveryRefused
from coal_mine.domain.message import Message
from coal_mine.domain.ports import Channel

_log = logging.getLogger(__name__)

Age = Callable[[], float]  # seconds since something last succeeded


class Tries:
    """What came of the tries to hand messages over, by all senders of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken_at = -math.inf
        self._taken = self._failed = self._in_vain = False

    def note(self, *, taken: bool) -> None:
        with self._lock:
            if taken:
                self._taken, self._taken_at = True, monotonic()
            else:
                self._failed = True

    def in_vain(self) -> bool:
        """Whether all tries since the last time that this was asked have failed; if there were none, what it was then."""
        with self._lock:
            if self._taken or self._failed:
                self._in_vain = not self._taken
            self._taken = self._failed = False
            return self._in_vain

    def seconds_since_taken(self) -> float:
        return monotonic() - self._taken_at


class ObservedChannel:
    """A channel whose tries are noted. A refusal is an answer, too: the other side is there."""

    def __init__(self, channel: Channel, tries: Tries) -> None:
        self.name = channel.name
        self._channel = channel
        self._tries = tries

    def send(self, address: str, message: Message) -> None:
        try:
            self._channel.send(address, message)
        except DeliveryRefused:
            self._tries.note(taken=True)
            raise
        except DeliveryFailed:
            self._tries.note(taken=False)
            raise
        self._tries.note(taken=True)

    def close(self) -> None:
        self._channel.close()


class Ping:
    """Sends one each interval in which everything that the service promises was done."""

    def __init__(self, send: Callable[[], None], interval: timedelta, passes: Mapping[str, Sequence[Age]], tries: Tries) -> None:
        """`passes` names the works, each with those that share it: one of them must have come round. `send` may raise DeliveryFailed."""
        self._send = send
        self._interval = interval
        self._passes = passes
        self._tries = tries
        self._looked_at: float | None = None
        self._silence = ""  # why there was no ping last time

    def run_once(self, now: datetime) -> datetime | None:
        looked_at, self._looked_at = self._looked_at, monotonic()
        if looked_at is not None:  # at the start nothing can have been done yet
            self._say(self._fault(self._looked_at - looked_at))
        return now + self._interval

    def _fault(self, seconds: float) -> str:
        """Why there is no ping; empty when one was sent."""
        idle = [name for name, ages in self._passes.items() if min(age() for age in ages) > seconds]
        in_vain = self._tries.in_vain()
        if idle:
            return f"no success since the last one: {', '.join(idle)}"
        if in_vain:
            return "no message could be delivered"
        try:
            self._send()
        except DeliveryFailed as error:
            return str(error)
        return ""

    def _say(self, fault: str) -> None:
        """Once, not each time."""
        if fault and fault != self._silence:
            _log.warning("no ping: %s", fault, extra={"action": "ping_missing"})
        elif self._silence and not fault:
            _log.info("pings are sent again", extra={"action": "ping_again"})
        self._silence = fault
