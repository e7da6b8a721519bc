"""coal-mine.ini.example and the README's tables, held against what the configuration really knows."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from coal_mine.config import ENVIRONMENT, Config, load
from coal_mine.domain.errors import Invalid
from tests.docs.documents import EXAMPLE, rows, section, uncommented

# What has no default; the example shows some value.
REQUIRED = {
    ("mongodb", "hosts"), ("email", "sender"), ("heartbeat", "url"), ("elasticsearch", "url"), ("runner:dummyRunner", "type"),
    ("runner:dummyRunner", "template"), ("runner:instanceRunner", "type"), ("runner:awsRunner", "type"), ("runner:awsRunner", "aws"),
}  # fmt: skip
# The same, but there are other ways.
USUAL = {("mongodb", "database"), ("runner:instanceRunner", "endpoint_template"), ("minion:acme", "runners")}
# Coal Mine hands these on to pymongo without looking at them.
PASSED_ON = {("mongodb", "username"), ("mongodb", "password"), ("mongodb", "replicaset")}

Settings = dict[tuple[str, str], str]


@pytest.fixture
def complete(tmp_path: Path) -> Path:
    """The example with everything in force."""
    path = tmp_path / "coal-mine.ini"
    path.write_text(uncommented(EXAMPLE.read_text()))
    return path


def settings_of(path: Path) -> Settings:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path)
    return {(name, setting): value for name in parser.sections() for setting, value in parser[name].items()}


def complaint(path: Path, text: str) -> str:
    path.write_text(text)
    with pytest.raises(Invalid) as refusal:
        load(path, {})
    return str(refusal.value)


def known_settings(directory: Path, shown: Settings) -> set[tuple[str, str]]:
    """What the program itself lists when it is given nonsense; a section with a name of its own has one that the example shows."""
    path = directory / "nonsense.ini"
    sections = re.findall(r"\[([\w:]+)\]", complaint(path, "[nonsense]\n").partition("there are")[2])
    known = {("mongodb", "hosts"), ("mongodb", "database")}
    for kind in sections:
        for name in examples_of(kind, shown) if kind != "mongodb" else ():
            given = values_of(REQUIRED, shown, name) if ":" in name else ""
            listed = complaint(path, f"[{name}]\n{given}nonsense = 1\n").partition(" knows ")[2]
            known |= {(name, setting) for setting in listed.split(", ")}
    return known


def examples_of(kind: str, shown: Settings) -> list[str]:
    """The sections that the example has of one such as [runner:NAME]."""
    if ":" not in kind:
        return [kind]
    found = [name for name in dict.fromkeys(name for name, _ in shown) if name.startswith(kind.partition(":")[0] + ":")]
    assert found, f"the example has no [{kind}]"
    return found


def check_config(path: Path, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coal_mine", "--config", str(path), "--check-config"]
    return subprocess.run(command, env={"PATH": os.environ["PATH"], "HOME": str(home)}, capture_output=True, text=True, check=False)


def faults_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """An example has no key, and may name users that this machine does not have: it may be warned of."""
    return [line for line in done.stderr.splitlines() if not line.startswith("coal-mine: warning: ")]


def loaded(path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Config:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return replace(load(path, {}), source="")


def test_the_example_as_it_is_passes_the_check(tmp_path: Path) -> None:
    done = check_config(EXAMPLE, tmp_path)

    assert (done.returncode, faults_of(done)) == (0, [])


def test_the_example_with_everything_uncommented_passes_the_check(complete: Path, tmp_path: Path) -> None:
    done = check_config(complete, tmp_path)

    assert (done.returncode, faults_of(done)) == (0, [])


def test_the_example_has_exactly_the_settings_that_there_are(complete: Path, tmp_path: Path) -> None:
    assert set(settings_of(complete)) == known_settings(tmp_path, settings_of(complete)) | PASSED_ON


def test_the_defaults_that_the_example_shows_are_the_defaults(complete: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "bare.ini"
    shown = settings_of(complete)
    needed = dict.fromkeys(name for name, setting in shown if (name, setting) in REQUIRED | USUAL)
    bare.write_text("".join(f"[{name}]\n" + values_of(REQUIRED | USUAL, shown, name) for name in ("node", *needed)))

    assert loaded(complete, monkeypatch, tmp_path) == loaded(bare, monkeypatch, tmp_path)


def values_of(some: set[tuple[str, str]], shown: Settings, name: str) -> str:
    """The lines of one section, of the settings that are among these."""
    return "".join(f"{setting} = {value}\n" for (found, setting), value in shown.items() if found == name and (name, setting) in some)


def test_the_example_as_it_is_changes_nothing_but_where_the_server_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty.ini"
    empty.write_text("")

    assert loaded(EXAMPLE, monkeypatch, tmp_path) == loaded(empty, monkeypatch, tmp_path)


def test_the_readme_lists_each_setting_with_its_default(complete: Path) -> None:
    tables = [row[:2] for row in rows(section("coal-mine.ini")) if row[0] not in ("Setting", "any other")]
    shown = settings_of(complete)
    expected = [[where[1].replace("replicaset", "replicaSet"), default_of(where, value)] for where, value in shown.items()]

    assert tables == expected


def default_of(where: tuple[str, str], shown: str) -> str:
    if where in REQUIRED:
        return "required"
    return "" if where in USUAL else shown or ""


def test_the_readme_lists_each_environment_variable_with_what_it_stands_for() -> None:
    listed = {variable: meaning for variable, meaning in rows(section("The environment")) if variable != "Variable"}

    assert listed == {variable: f"[{name}] {setting}" for variable, (name, setting) in ENVIRONMENT.items()}
