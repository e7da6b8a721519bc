"""Documents as Coal Mine 0.7.1 writes them: the fields in its order, the history inside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo import IndexModel
from pymongo.database import Database

from tests.stores.examples import HOUR, NOW


def document(name: str = "backup", **values: Any) -> dict[str, Any]:
    """A canary that was created and triggered an hour before NOW, every two hours."""
    plain = {
        "id": (name + "xxxxxxxx")[:8],
        "name": name,
        "slug": name,
        "periodicity": 7200.0,
        "description": "",
        "emails": ["jo@example.com"],
        "paused": False,
        "history": [[NOW - HOUR, "Triggered"], [NOW - 2 * HOUR, "Canary created"]],
        "late": False,
        "deadline": NOW + HOUR,
    }
    merged = {**plain, **values}
    return {field: value for field, value in merged.items() if value is not None}


def history(*times: datetime) -> list[list[Any]]:
    """Newest first, as the times are given."""
    return [[at, f"Triggered ({number})"] for number, at in enumerate(times)]


def make_indexes(database: Database[dict[str, Any]], *, unique_id: bool = True) -> None:
    """Those of 0.7.1; 0.4.1 to 0.4.3 forgot to make the first one unique."""
    database["canaries"].create_indexes(
        [
            IndexModel([("id", 1)], **({"unique": True} if unique_id else {})),
            IndexModel([("paused", 1), ("late", 1), ("deadline", 1)]),
            IndexModel([("paused", 1), ("deadline", 1)]),
            IndexModel([("late", 1), ("deadline", 1)]),
            IndexModel([("notify", 1)]),
            IndexModel([("slug", 1)], unique=True),
        ]
    )
