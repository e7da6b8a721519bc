"""Stand-ins for what lies outside: time, random names, receivers. Everything between is real."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from coal_mine.domain.message import Message

NOW = datetime(2026, 11, 22, 12, 0, 0, 123_000, tzinfo=UTC)


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def move(self, by: timedelta) -> datetime:
        self._now += by
        return self._now


class SequenceIds:
    """Names in the order of the alphabet."""

    def __init__(self) -> None:
        self._numbers = count()

    def canary_id(self) -> str:
        number = next(self._numbers)
        return "".join(chr(ord("a") + number // 26**place % 26) for place in reversed(range(8)))

    def job_id(self) -> str:
        return f"j{next(self._numbers):011}"

    def nonce(self) -> str:
        return f"n{next(self._numbers)}"


class Letterbox:
    """A channel that keeps what it gets; `before` is called with each message first, and may raise."""

    name = "the letterbox"

    def __init__(self, before: Callable[[str, Message], None] = lambda address, message: None) -> None:
        self.taken: list[tuple[str, Message]] = []
        self.before = before

    def send(self, address: str, message: Message) -> None:
        self.before(address, message)
        self.taken.append((address, message))

    def close(self) -> None:
        pass
