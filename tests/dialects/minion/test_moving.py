"""docs/migrating-minion.rst: what it shows works."""

from __future__ import annotations

import json
import os
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
    disabled: dict[str, Any]  # the jobs after the first time, by their names
    enabled: dict[str, Any]  # after the last one
    first: list[str]  # what the program says
    again: list[str]
    last: list[str]


@pytest.fixture(scope="module")
def moves(minion: MinionClient, tmp_path_factory: pytest.TempPathFactory) -> Moves:
    """Of four jobs, one of which is none. Between the times, a client of Minion changes one and creates another."""
    jobs, group = tmp_path_factory.mktemp("jobs"), f"space-{uuid.uuid4().hex[:8]}"
    objects = jobs / "spinup" / group
    objects.mkdir(parents=True)
    store(objects, first=stored("first", enabled=True), second=stored("second"), broken=stored("broken", details={"runner": 1}))
    store(objects, wrapped=json.dumps({"job": json.loads(stored("wrapped", enabled=True)), "tags": []}))
    first = moved(minion, jobs, "--disabled")
    disabled, again = jobs_of(minion, group), moved(minion, jobs, "--disabled")
    store(objects, first=stored("first", enabled=True, description="changed"), third=stored("third", enabled=True))
    last = moved(minion, jobs)
    return Moves(disabled, jobs_of(minion, group), first, again, last)


def store(objects: Path, **texts: str) -> None:
    for name, text in texts.items():
        (objects / own_id(name)).write_text(text)


def jobs_of(minion: MinionClient, group: str) -> dict[str, Any]:
    shown = [minion.call("GET", f"/jobs/{group}/{one}").json() for one in minion.call("GET", f"/jobs/{group}").json()]
    return {job["name"]: job for job in (one.get("job", one) for one in shown)}


def own_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def moved(minion: MinionClient, jobs: Path, *arguments: str) -> list[str]:
    command = [sys.executable, "-c", block("import "), str(jobs), minion.server.url, *arguments]
    environment = os.environ | {"COAL_MINE_AUTH_KEY": KEY}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()


def test_the_configuration_that_is_shown_is_one(tmp_path: Path) -> None:
    path = tmp_path / "coal-mine.ini"
    path.write_text(block("[wsgi]"))

    config = load(path, {})

    assert ({name: account.runners for name, account in config.minion.items()}, list(config.runners)) == (
        {"spinup": ("dummyRunner", "instanceRunner")},
        ["dummyRunner", "instanceRunner"],
    )


def test_the_program_that_is_shown_moves_jobs_with_their_ids(moves: Moves) -> None:
    assert {name: job["id"] for name, job in moves.disabled.items()} == {name: own_id(name) for name in ("first", "second", "wrapped")}


def test_jobs_in_either_form_rest_until_the_program_is_run_for_the_last_time(moves: Moves) -> None:
    assert {name for name, job in moves.disabled.items() if job["enabled"]} == set()


def test_in_the_end_jobs_are_enabled_as_they_were(moves: Moves) -> None:
    assert {name: job["enabled"] for name, job in moves.enabled.items()} == {"first": True, "second": False, "third": True, "wrapped": True}


def test_what_was_changed_in_the_meantime_comes_along(moves: Moves) -> None:
    assert moves.enabled["first"]["description"] == "changed"


def test_what_was_created_in_the_meantime_keeps_its_id(moves: Moves) -> None:
    assert moves.enabled["third"]["id"] == own_id("third")


@pytest.mark.parametrize("time", ["first", "last"])
def test_the_program_that_is_shown_says_what_it_could_not_move(moves: Moves, time: str) -> None:
    (refused,) = (line for line in getattr(moves, time) if not line.endswith(": moved"))

    assert refused.endswith(" job input: details.runner is a number, not a text")


def test_a_job_that_is_there_is_left_alone_as_long_as_jobs_rest(moves: Moves) -> None:
    assert [line for line in moves.again if line.endswith(": moved")] == []
    assert [line for line in moves.again if "already" in line] != []
