"""--help and --version."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

import coal_mine
from coal_mine.cli.commands import cli
from tests.cli.command import Cmcli

ABOUT_CANARIES = ["configure", "create", "delete", "get", "list", "pause", "trigger", "unpause", "update"]
SLOW = {"requests", "rich", "pymongo", "granian", "bottle", "coal_mine.config", "coal_mine.domain.run"}
GROUPS = ["import", "job", "node", "pool", "run"]


def test_every_command_is_listed(unconfigured: Cmcli) -> None:
    out = unconfigured("--help").out

    assert sorted(cli.commands) == sorted([*ABOUT_CANARIES, *GROUPS, "execution"])
    assert all(f"\n  {name} " in out for name in cli.commands)
    assert "Examples:" in out


def test_version(unconfigured: Cmcli) -> None:
    assert unconfigured("--version").out == f"cmcli, version {coal_mine.__version__}\n"


def _commands(command: click.Command, words: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command below this one, with the words that call it."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    for name, inner in command.commands.items():
        yield from _commands(inner, f"{words} {name}".strip())


COMMANDS = dict(_commands(cli))


def _options() -> Iterator[tuple[str, click.Option]]:
    for words, command in [("cmcli", cli), *COMMANDS.items()]:
        for option in command.params:
            if isinstance(option, click.Option):
                yield f"{words} {option.opts[0]}", option


@pytest.mark.parametrize("option", [pytest.param(option, id=name) for name, option in _options()])
def test_every_option_has_help(option: click.Option) -> None:
    assert option.help
    assert not option.hidden


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_explains_itself_and_the_options_about_the_server(words: str) -> None:
    outcome = CliRunner().invoke(cli, [*words.split(), "--help"], prog_name="cmcli")

    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.output.startswith(f"Usage: cmcli {words} [OPTIONS]")
    assert "--auth-key, --auth_key KEY" in outcome.output


def test_help_loads_nothing_that_is_slow() -> None:
    run = "import sys; sys.argv[1:] = ['--help']; from coal_mine.cli import main; main()"
    code = f"{run}; sys.exit(str(sys.modules.keys() & {SLOW}))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert done.stderr == b"set()\n"
