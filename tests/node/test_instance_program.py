"""The program that calls who has power over an instance, without a node around it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from coal_mine.node.programs.call import Call
from tests.support.cloud import Cloud
from tests.support.waiting import PATIENCE


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud() as one:
        yield one


def carried_out(call: Call) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coal_mine.node.programs.instance"],
        env=call.to_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_call_has_half_a_minute_in_all() -> None:
    assert Call(action="stop", instance="i-1").seconds == 30


def test_an_answer_that_does_not_come_is_given_up(cloud: Cloud) -> None:
    cloud.may_answer.clear()
    ended = carried_out(Call(action="stop", instance="i-1", url=cloud.url, seconds=1.5))

    assert (ended.returncode, ended.stderr) == (1, "no whole answer within 1.5 seconds\n")


def test_an_answer_that_comes_byte_by_byte_and_never_ends_is_given_up(cloud: Cloud) -> None:
    cloud.is_endless = True
    ended = carried_out(Call(action="stop", instance="i-1", url=cloud.url, seconds=1.5))

    assert (ended.returncode, ended.stderr) == (1, "no whole answer within 1.5 seconds\n")


def test_a_refusal_that_never_ends_is_shown_as_far_as_it_goes(cloud: Cloud) -> None:
    cloud.status, cloud.answer, cloud.is_endless = 403, b"not you" * 1_000, True
    ended = carried_out(Call(action="stop", instance="i-1", url=cloud.url))

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"PUT {cloud.url}: 403 Forbidden\nnot you")
