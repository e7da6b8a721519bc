"""The page for users of Moneta: what it shows as typed is typed, and it names all that they had."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from coal_mine.config import load
from tests.cli.command import Outcome
from tests.cli.jobs.within import CmcliWithin
from tests.docs.documents import ROOT, blocks
from tests.support.server import CoalMine
from tests.support.waiting import PATIENCE, until

PAGE = ROOT / "docs/migrating-moneta.rst"
KEY = "right-key-5150"
TASK_ID = "021b2092ef4111e481a852540064e600"
TASK = {"name": "My task", "enabled": True, "mode": "any", "schedules": [{"hour": [2], "minute": [30]}], "command": "echo done", "env": {}}


class Shell:
    """Knows cmcli, so much of curl as the page needs, and `>`; and the two servers that the page names."""

    def __init__(self, home: Path, moneta: CoalMine, coal_mine: CoalMine) -> None:
        self._home = home
        self._cmcli = CmcliWithin(home)
        self._addresses = {"http://moneta:32000": moneta.url, "http://coal-mine:32000": coal_mine.url}

    def __call__(self, line: str) -> Outcome:
        for shown, real in self._addresses.items():
            line = line.replace(shown, real)
        program, *words = shlex.split(line.replace("KEY", KEY).replace("/var/backups/", ""))
        words, target = (words[:-2], words[-1]) if words[-2:-1] == [">"] else (words, "")
        outcome = self._cmcli(*words) if program == "cmcli" else _curl(words)
        if target:
            (self._home / target).write_text(outcome.out)
        return outcome


def _curl(words: list[str]) -> Outcome:
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", action="store_true", required=True)
    parser.add_argument("-X", default="GET")
    parser.add_argument("-u")
    parser.add_argument("-H")
    parser.add_argument("url")
    given = parser.parse_args(words)
    headers = dict([given.H.split(": ", 1)]) if given.H else {}
    user = tuple(given.u.split(":", 1)) if given.u else None
    answer = requests.request(given.X, given.url, headers=headers, auth=user, timeout=PATIENCE)
    return Outcome(0 if answer.ok else 22, answer.text, "")


@pytest.fixture(scope="module")
def moneta(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    """In Moneta's place: it answers without a key, and has a task."""
    ini = f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n[moneta]\nopen_to = 127.0.0.1\n"
    with CoalMine(tmp_path_factory.mktemp("moneta"), ini=ini) as server:
        requests.put(f"{server.url}/tasks/{TASK_ID}", json=TASK, timeout=PATIENCE).raise_for_status()
        yield server


@pytest.fixture(scope="module")
def coal_mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    directory = tmp_path_factory.mktemp("coal-mine")
    ini = f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n[node]\n[moneta]\nbackup = {directory}/moneta.json\n"
    with CoalMine(directory, ini=ini) as server:
        yield server


@pytest.fixture(scope="module")
def done(moneta: CoalMine, coal_mine: CoalMine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What became of each command of the page, in its order."""
    home = tmp_path_factory.mktemp("home")
    shell = Shell(home, moneta, coal_mine)
    outcomes = {}
    for line in commands():
        if "/var/backups/" in line:
            backup = coal_mine.directory / "moneta.json"
            until("the last change in the backup", lambda path=backup: path.exists() and "ops@example.com" in path.read_text())
            (home / "moneta.json").write_bytes(backup.read_bytes())
        outcomes[line] = shell(line)
    return outcomes


def commands() -> list[str]:
    lines = [line for block in blocks(PAGE) for line in block.splitlines()]
    return list(dict.fromkeys(line for line in lines if shlex.split(line)[:1] in (["cmcli"], ["curl"])))


def text() -> str:
    return " ".join(PAGE.read_text().split())


@pytest.mark.parametrize("line", commands())
def test_each_command_of_the_page_works(done: dict[str, Outcome], line: str) -> None:
    assert done[line].status == 0, done[line]


def test_the_page_shows_the_whole_way() -> None:
    assert [line.split(TASK_ID)[0].strip() for line in commands() if line.startswith("cmcli")] == [
        "cmcli configure --host http://coal-mine:32000 --auth-key KEY",
        "cmcli node list",
        "cmcli import moneta moneta.json --dry-run",
        "cmcli import moneta moneta.json --disabled",
        "cmcli job run",
        "cmcli import moneta moneta.json",
        "cmcli job update",
        "cmcli import moneta /var/backups/moneta.json",
    ]


def test_after_it_the_task_runs_here(done: dict[str, Outcome], coal_mine: CoalMine) -> None:
    task = requests.get(f"{coal_mine.url}/tasks/{TASK_ID}", headers={"X-Auth-Token": KEY}, timeout=PATIENCE).json()

    assert done
    assert {**task, "coal_mine": None} == {**TASK, "tags": [], "pools": ["default"], "coal_mine": None}


def test_the_run_by_hand_prints_what_the_command_has_written(done: dict[str, Outcome]) -> None:
    assert done[f"cmcli job run {TASK_ID} --wait"].out == "done\n"


def test_what_the_backup_has_is_there_already(done: dict[str, Outcome]) -> None:
    outcome = done["cmcli import moneta /var/backups/moneta.json"].out

    assert '"updated": 0' in outcome
    assert '"created": 0' in outcome


def test_the_configuration_that_is_shown_is_one(tmp_path: Path) -> None:
    shown = next(block for block in blocks(PAGE) if block.startswith("[mongodb]"))
    (tmp_path / "coal-mine.ini").write_text(shown.replace("/srv/moneta-web", str(tmp_path)))
    config = load(tmp_path / "coal-mine.ini", {})

    assert config.node
    assert (config.node.timezone, config.wsgi.port, config.moneta.docroot) == ("Europe/Paris", 32_000, tmp_path)


@pytest.mark.parametrize(
    "word",
    [
        *("--listen", "--nodename", "--pools", "--config", "--zookeeper", "--logfile", "--loglevel", "--logconfig", "--plugindir"),
        *("--plugins", "--leader", "--no-leader", "manager_listen", "log.file", "log.level", "log.config"),
        *("mailer", "configbackup", "audit", "executionsummary", "gui", "TERM", "INT", "QUIT", "WINCH"),
    ],
)
def test_the_page_says_where_each_setting_plugin_and_signal_went(word: str) -> None:
    assert f"``{word}``" in text() or f"``{word} " in text()
