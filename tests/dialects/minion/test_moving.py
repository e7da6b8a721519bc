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
    disabled: list[dict[str, Any]]  # the jobs after the first time
    first: list[str]  # what the program says
    again: list[str]
    last: list[str]


@pytest.fixture(scope="module")
def moves(minion: MinionClient, tmp_path_factory: pytest.TempPathFactory) -> Moves:
    """Of three jobs, one of which is none."""
    jobs, group = tmp_path_factory.mktemp("jobs"), f"space-{uuid.uuid4().hex[:8]}"
    (jobs / "spinup" / group).mkdir(parents=True)
    for name, text in (
        ("first", stored("first", enabled=True)),
        ("second", stored("second")),
        ("broken", stored("broken", details={"runner": 1})),
    ):
        (jobs / "spinup" / group / own_id(name)).write_text(text)
    first = moved(minion, jobs, "--disabled")
    return Moves(group, jobs_of(minion, group), first, moved(minion, jobs, "--disabled"), moved(minion, jobs))


def jobs_of(minion: MinionClient, group: str) -> list[dict[str, Any]]:
    return [minion.call("GET", f"/jobs/{group}/{one}").json() for one in minion.call("GET", f"/jobs/{group}").json()]


def own_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def moved(minion: MinionClient, jobs: Path, *arguments: str) -> list[str]:
    command = [sys.executable, "-c", block("import "), str(jobs), minion.server.url, KEY, *arguments]
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
    assert {job["name"]: job["id"] for job in moves.disabled} == {name: own_id(name) for name in ("first", "second")}


def test_jobs_rest_until_the_program_is_run_for_the_last_time(minion: MinionClient, moves: Moves) -> None:
    assert [job["enabled"] for job in moves.disabled] == [False, False]
    assert {job["name"]: job["enabled"] for job in jobs_of(minion, moves.group)} == {"first": True, "second": False}
    assert [line for line in moves.last if line.endswith(": moved")] == [line for line in moves.first if line.endswith(": moved")]


def test_the_program_that_is_shown_says_what_it_could_not_move(moves: Moves) -> None:
    (refused,) = (line for line in moves.first if not line.endswith(": moved"))

    assert refused.endswith(": cannot decode body into create job input: details.runner is a number, not a text")


def test_the_program_that_is_shown_moves_nothing_twice(moves: Moves) -> None:
    assert [line for line in moves.again if line.endswith(": moved")] == []
    assert [line for line in moves.again if "already" in line] != []
