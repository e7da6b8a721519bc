"""The README's program for the way back to the predecessor."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient

from tests.docs.documents import blocks
from tests.support.mongod import Mongod
from tests.support.server import CoalMine

# All that the predecessor reads and writes.
OLD_FIELDS = {"_id", "id", "name", "slug", "periodicity", "description", "emails", "paused", "late", "deadline", "history"}


@pytest.fixture
def uri(mongod: Mongod) -> Iterator[str]:
    name = f"coalmine_test_{secrets.token_hex(6)}"
    yield f"{mongod.uri.rstrip('/')}/{name}"
    with MongoClient[Any](mongod.uri) as client:
        client.drop_database(name)


def go_back(uri: str, directory: Path) -> None:
    program = directory / "back.py"
    program.write_text(next(block for block in blocks() if block.startswith("import sys")))
    subprocess.run([sys.executable, program, uri], check=True)


def stored(uri: str) -> dict[str, Any]:
    with MongoClient[Any](uri) as client:
        (document,) = client.get_default_database()["canaries"].find()
    return dict(document)


def test_canaries_get_back_the_shape_that_the_predecessor_knows(uri: str, tmp_path: Path) -> None:
    with CoalMine(tmp_path, "--web", ini=f"[mongodb]\nhosts = {uri}\n[wsgi]\nhost = 127.0.0.1\n") as server:
        canary = server.call("create", name="Going Back", periodicity="3600", email="a@example.test")["canary"]
        server.call("trigger", id=canary["id"], comment="one")
        server.call("trigger", id=canary["id"], comment="two")
        server.stop()
    go_back(uri, tmp_path)
    document = stored(uri)

    assert set(document) == OLD_FIELDS
    assert [text for _, text in document["history"]] == ["Triggered (two)", "Triggered (one)", "Canary created"]
    assert all(isinstance(at, datetime) for at, _ in document["history"])


def test_a_history_that_was_not_moved_yet_is_kept_below_the_newer_events(uri: str, tmp_path: Path) -> None:
    old = [[datetime(2026, 11, 1), "Triggered"], [datetime(2026, 10, 1), "Canary created"]]  # noqa: DTZ001 - as pymongo returns them
    with MongoClient[Any](uri) as client:
        database = client.get_default_database()
        database["canaries"].insert_one({"_id": ObjectId(), "id": "abcdefgh", "history": old})
        database["history"].insert_one({"_id": "abcdefgh|1795000000000|x", "at": datetime(2026, 11, 18), "text": "Paused"})  # noqa: DTZ001
    go_back(uri, tmp_path)

    assert [text for _, text in stored(uri)["history"]] == ["Paused", "Triggered", "Canary created"]
