"""Scripts that name their interpreter, also where the kernel runs nothing: /run, where a spool in memory may be, is mounted noexec."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.workshop import Workshop, is_root, mounted

_SAY = "import sys\nprint(sys.argv[1:], sys.flags.isolated, sys.flags.no_site)\n"


@pytest.fixture(params=["", ",noexec"], ids=["exec", "noexec"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workshop]:
    with mounted(tmp_path / "memory", f"mode=700{request.param}") as place, Workshop(place / "spool") as running:
        yield running


def _somebody() -> str:
    return "nobody" if is_root() else pwd.getpwuid(os.geteuid()).pw_name


def test_a_script_runs_under_the_interpreter_that_it_names(anywhere: Workshop) -> None:
    _, output = anywhere.ended("a b", "c", script=f"#!/usr/bin/env python3\n{_SAY}")

    assert output == b"['a b', 'c'] 0 0\n"


def test_that_of_another_user_does_too(anywhere: Workshop) -> None:
    result, output = anywhere.ended("a b", script=f"#!/usr/bin/env python3\n{_SAY}", user=_somebody())

    assert (result.error, output) == (None, b"['a b'] 0 0\n")


def test_what_follows_the_interpreter_is_one_argument(anywhere: Workshop) -> None:
    _, output = anywhere.ended("x", script='#! \t/bin/echo \t one  two\t \necho "not reached"\n')

    assert output.split(b" /")[0] == b"one  two"


def test_an_interpreter_may_be_the_only_line(anywhere: Workshop) -> None:
    _, output = anywhere.ended("x", script="#!/bin/echo")

    assert output.endswith(b"script x\n")


def test_a_script_without_one_is_the_shells(anywhere: Workshop) -> None:
    _, output = anywhere.ended("a b", script='echo "$1"')

    assert output == b"a b\n"


def test_an_interpreter_that_is_not_there_is_said(anywhere: Workshop) -> None:
    result, _ = anywhere.ended(script="#!/no/such/interpreter\n")

    assert result.error is not None
    assert result.error.endswith(": No such file or directory")
