"""What the README says about the commands for jobs, held against them."""

from __future__ import annotations

import shlex

import pytest

from tests.cli.command import Cmcli
from tests.cli.test_help import COMMANDS
from tests.docs.documents import blocks, section


@pytest.fixture(scope="module")
def text() -> str:
    return " ".join(section("cmcli").astext().split())


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_is_in_the_readme(words: str, text: str) -> None:
    assert f"cmcli {words}" in text


def test_the_commands_work_in_the_order_shown(cmcli: Cmcli) -> None:
    block = next(block for block in blocks() if block.startswith("cmcli job create"))
    failed = []
    for line in block.splitlines():
        outcome = cmcli(*shlex.split(line)[1:])
        if outcome.status or outcome.err:
            failed.append((line, outcome))

    assert failed == []
