"""What the node of a live run is asked for: texts among the run's `orders`."""

from __future__ import annotations

_KILL = "kill"
_SIGNAL = "signal"


def kill_order(why: str = "") -> str:
    """`why` becomes the reason of the run."""
    return f"{_KILL} {why}".rstrip()


def is_kill(order: str) -> bool:
    return order.partition(" ")[0] == _KILL


def reason_of(order: str) -> str:
    """Empty: whoever asked for it did not say."""
    return order.partition(" ")[2]


def signal_order(number: int) -> str:
    return f"{_SIGNAL} {number}"


def signal_in(order: str) -> int | None:
    word, _, number = order.partition(" ")
    return int(number) if word == _SIGNAL else None
