"""Whom a service wakes when it has changed something for which loops wait."""

from __future__ import annotations


def nobody() -> None:
    """As where no loop runs in the same process."""
