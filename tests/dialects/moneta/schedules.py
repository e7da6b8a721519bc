"""Schedules of jobs, in the form in which Moneta's web client shows them."""

from __future__ import annotations

from typing import Any


def in_lists(schedule: dict[str, Any]) -> dict[str, Any]:
    """The same schedule, each value of its fields a list, as far as it says anything."""
    fields = schedule.get("fields")
    if not fields:
        return schedule
    return {
        **schedule,
        "fields": {name: [str(value)] if isinstance(value, int | str) and value != "" else value for name, value in fields.items()},
    }
