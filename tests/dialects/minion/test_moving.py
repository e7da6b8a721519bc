"""docs/migrating-minion.rst: what it shows works."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Moves:
    group: str
    first: list[str]  # what the program says
    again: list[str]


@pytest.fixture(scope="module")
def moves(minion: MinionClient, tmp_path_factory: pytest.TempPathFactory) -> Moves:
    """Of three jobs, one of which is none."""
    jobs, group = tmp_path_factory.mktemp("jobs"), f"space-{uuid.uuid4().hex[:8]}"
    (jobs / "spinup" / group).mkdir(parents=True)
    for name, text in (("first", stored("first")), ("second", stored("second")), ("broken", stored("broken", enabled="no"))):
        (jobs / "spinup" / group / own_id(name)).write_text(text)
    return Moves(group, moved(minion, jobs), moved(minion, jobs))


def own_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def moved(minion: MinionClient, jobs: Path) -> list[str]:
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


def test_the_program_that_is_shown_moves_jobs_with_their_ids(minion: MinionClient, moves: Moves) -> None:
    found = [minion.call("GET", f"/jobs/{moves.group}/{one}").json() for one in minion.call("GET", f"/jobs/{moves.group}").json()]

    assert {job["name"]: job["id"] for job in found} == {name: own_id(name) for name in ("first", "second")}


def test_the_program_that_is_shown_says_what_it_could_not_move(moves: Moves) -> None:
    (refused,) = (line for line in moves.first if not line.endswith(": moved"))

    assert refused.endswith(": cannot decode body into create job input: enabled is a text, not true or false")


def test_the_program_that_is_shown_moves_nothing_twice(moves: Moves) -> None:
    assert [line for line in moves.again if line.endswith(": moved")] == []
    assert [line for line in moves.again if "already" in line] != []
