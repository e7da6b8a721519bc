"""docs/migrating-minion.rst: what it shows works."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from coal_mine.config import load
from tests.dialects.minion.client import KEY, MinionClient
from tests.docs.documents import ROOT, blocks

PAGE = ROOT / "docs/migrating-minion.rst"


def block(beginning: str) -> str:
    (found,) = (text for text in blocks(PAGE) if text.startswith(beginning))
    return found


def stored(name: str, **fields: Any) -> str:
    """As Minion has it in S3."""
    job = {"id": "any", "account": "spinup", "group": "any", "name": name, "modified_at": "2020-02-27T16:22:09Z", "modified_by": "someone"}
    return json.dumps(job | {"details": {"runner": "dummyRunner"}, "schedule_expression": "* * * ? *", "enabled": False} | fields)


@pytest.fixture
def jobs(tmp_path: Path, group: str) -> Path:
    """Three, one of which is none."""
    (tmp_path / "spinup" / group).mkdir(parents=True)
    for name, text in (("first", stored("first")), ("second", stored("second")), ("broken", stored("broken", enabled="no"))):
        (tmp_path / "spinup" / group / str(uuid.uuid5(uuid.NAMESPACE_URL, name))).write_text(text)
    return tmp_path


def moved(minion: MinionClient, jobs: Path) -> list[str]:
    """What the program says."""
    command = [sys.executable, "-c", block("import "), str(jobs), minion.server.url, KEY]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_configuration_that_is_shown_is_one(tmp_path: Path) -> None:
    path = tmp_path / "coal-mine.ini"
    path.write_text(block("[wsgi]"))

    config = load(path, {})

    assert ({name: account.runners for name, account in config.minion.items()}, list(config.runners)) == (
        {"spinup": ("dummyRunner", "instanceRunner")},
        ["dummyRunner", "instanceRunner"],
    )


def test_the_program_that_is_shown_moves_jobs_with_their_ids(minion: MinionClient, jobs: Path, group: str) -> None:
    moved(minion, jobs)

    found = [minion.call("GET", f"/jobs/{group}/{own_id}").json() for own_id in minion.call("GET", f"/jobs/{group}").json()]
    assert {job["name"]: job["id"] for job in found} == {name: str(uuid.uuid5(uuid.NAMESPACE_URL, name)) for name in ("first", "second")}


def test_the_program_that_is_shown_says_what_it_could_not_move(minion: MinionClient, jobs: Path) -> None:
    (refused,) = (line for line in moved(minion, jobs) if not line.endswith(": moved"))

    assert refused.endswith(": cannot decode body into create job input: enabled is a text, not true or false")


def test_the_program_that_is_shown_moves_nothing_twice(minion: MinionClient, jobs: Path, group: str) -> None:
    moved(minion, jobs)
    before = minion.call("GET", f"/jobs/{group}").json()

    again = moved(minion, jobs)

    assert [line for line in again if line.endswith(": moved")] == []
    assert minion.call("GET", f"/jobs/{group}").json() == before
