"""Groups of triggers on SQLite."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from coal_mine.domain.canary import Update, updated
from coal_mine.domain.periodicity import Every
from coal_mine.stores.sqlite.database import Database
from coal_mine.stores.sqlite.store import open_store
from coal_mine.stores.sqlite.triggers import Triggers
from tests.stores.examples import HOUR, NOW, SECOND, added, entry


def test_what_was_read_in_a_transaction_that_failed_is_forgotten(tmp_path: Path) -> None:
    forgotten: list[bool] = []
    database = Database(tmp_path / "cm.sqlite3", Triggers().perform, lambda: forgotten.append(True))

    def fail(_connection: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write(fail)
    database.close()

    assert forgotten


def test_a_trigger_after_a_change_counts_by_the_new_periodicity(tmp_path: Path) -> None:
    store = open_store(tmp_path / "cm.sqlite3")
    one = added(store)
    store.canaries.trigger(one.id, entry(NOW + SECOND))
    store.canaries.apply(updated(store.canaries.get(one.id), Update(periodicity=Every(60)), NOW + SECOND))
    store.canaries.trigger(one.id, entry(NOW + 2 * SECOND))
    deadline = store.canaries.get(one.id).deadline
    store.close()

    assert deadline == NOW + 2 * SECOND + timedelta(seconds=60)
    assert one.deadline == NOW + HOUR
