"""Times as answers write them."""

from __future__ import annotations

from datetime import datetime


def parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)


def seconds_between(one: str, other: str) -> float:
    return (parsed(other) - parsed(one)).total_seconds()
