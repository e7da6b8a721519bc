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
REQUIRED = {("mongodb", "hosts"), ("mongodb", "database"), ("email", "sender"), ("heartbeat", "url"), ("elasticsearch", "url")}
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


def known_settings(directory: Path) -> set[tuple[str, str]]:
    """What the program itself lists when it is given nonsense."""
    path = directory / "nonsense.ini"
    sections = re.findall(r"\[(\w+)\]", complaint(path, "[nonsense]\n").partition("there are")[2])
    known = {("mongodb", "hosts"), ("mongodb", "database")}
    for name in sections:
        if name != "mongodb":
            listed = complaint(path, f"[{name}]\nnonsense = 1\n").partition(" knows ")[2]
            known |= {(name, setting) for setting in listed.split(", ")}
    return known


def check_config(path: Path, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coal_mine", "--config", str(path), "--check-config"]
    return subprocess.run(command, env={"PATH": os.environ["PATH"], "HOME": str(home)}, capture_output=True, text=True, check=False)


def loaded(path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Config:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return replace(load(path, {}), source="")


def test_the_example_as_it_is_passes_the_check(tmp_path: Path) -> None:
    done = check_config(EXAMPLE, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_example_with_everything_uncommented_passes_the_check(complete: Path, tmp_path: Path) -> None:
    done = check_config(complete, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_example_has_exactly_the_settings_that_there_are(complete: Path, tmp_path: Path) -> None:
    assert set(settings_of(complete)) == known_settings(tmp_path) | PASSED_ON


def test_the_defaults_that_the_example_shows_are_the_defaults(complete: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "bare.ini"
    shown = settings_of(complete)
    bare.write_text("".join(f"[{name}]\n" + required(shown, name) for name in ("mongodb", "email", "heartbeat", "node", "elasticsearch")))

    assert loaded(complete, monkeypatch, tmp_path) == loaded(bare, monkeypatch, tmp_path)


def required(shown: Settings, name: str) -> str:
    return "".join(f"{setting} = {value}\n" for (found, setting), value in shown.items() if found == name and (name, setting) in REQUIRED)


def test_the_example_as_it_is_changes_nothing_but_where_the_server_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty.ini"
    empty.write_text("")

    assert loaded(EXAMPLE, monkeypatch, tmp_path) == loaded(empty, monkeypatch, tmp_path)


def test_the_readme_lists_each_setting_with_its_default(complete: Path) -> None:
    tables = [row[:2] for row in rows(section("coal-mine.ini")) if row[0] not in ("Setting", "any other")]
    expected = [
        [setting.replace("replicaset", "replicaSet"), "" if (name, setting) == ("mongodb", "database") else value or ""]
        for (name, setting), value in settings_of(complete).items()
    ]
    without_default = {"hosts", "sender", "url"}

    assert tables == [[setting, "required" if setting in without_default else default] for setting, default in expected]


def test_the_readme_lists_each_environment_variable_with_what_it_stands_for() -> None:
    listed = {variable: meaning for variable, meaning in rows(section("The environment")) if variable != "Variable"}

    assert listed == {variable: f"[{name}] {setting}" for variable, (name, setting) in ENVIRONMENT.items()}
