"""The variables and the directory of a job."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from tests.node.workshop import Workshop


def test_the_environment_has_nothing_of_the_daemon(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COAL_MINE_KEY", "secret")
    _, output = workshop.ended("env")

    names = {line.partition(b"=")[0] for line in output.splitlines()}
    assert names == {b"PATH", b"HOME", b"USER", b"LOGNAME", b"SHELL", b"LANG"}


def test_the_variables_of_a_job_are_added_and_win(workshop: Workshop) -> None:
    _, output = workshop.ended("env", env={"COLOUR": "gr\u00fcn", "LANG": "C"})

    assert {"COLOUR=gr\u00fcn".encode(), b"LANG=C"} < set(output.splitlines())


def test_a_job_starts_in_the_home_of_its_user(workshop: Workshop) -> None:
    _, output = workshop.ended("pwd", "-P")

    home = pwd.getpwuid(os.geteuid()).pw_dir
    assert output.decode() == f"{os.path.realpath(home) if os.path.isdir(home) else '/'}\n"


def test_a_job_starts_in_the_directory_that_it_names(workshop: Workshop, tmp_path: Path) -> None:
    _, output = workshop.ended("pwd", "-P", workdir=str(tmp_path))

    assert output.decode() == f"{tmp_path.resolve()}\n"
