"""--help and --version."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

import coal_mine
from coal_mine.cli.commands import cli
from tests.cli.command import Cmcli

COMMANDS = ["configure", "create", "delete", "get", "list", "pause", "trigger", "unpause", "update"]


def test_every_command_is_listed(unconfigured: Cmcli) -> None:
    out = unconfigured("--help").out

    assert sorted(cli.commands) == COMMANDS
    assert all(f"\n  {name} " in out for name in COMMANDS)
    assert "Examples:" in out


def test_version(unconfigured: Cmcli) -> None:
    assert unconfigured("--version").out == f"cmcli, version {coal_mine.__version__}\n"


def _options() -> Iterator[tuple[str, click.Option]]:
    for command in (cli, *cli.commands.values()):
        for option in command.params:
            assert isinstance(option, click.Option)
            yield f"{command.name} {option.opts[0]}", option


@pytest.mark.parametrize("option", [pytest.param(option, id=name) for name, option in _options()])
def test_every_option_has_help(option: click.Option) -> None:
    assert option.help
    assert not option.hidden


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_the_options_about_the_server(unconfigured: Cmcli, name: str) -> None:
    outcome = unconfigured(name, "--help")

    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith(f"Usage: cmcli {name} [OPTIONS]\n")
    assert "--auth-key, --auth_key KEY" in outcome.out


def test_help_loads_nothing_that_is_slow() -> None:
    run = "import sys; sys.argv[1:] = ['--help']; from coal_mine.cli import main; main()"
    code = f"{run}; sys.exit(str(sys.modules.keys() & {{'requests', 'rich'}}))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert done.stderr == b"set()\n"
