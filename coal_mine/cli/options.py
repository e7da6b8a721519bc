"""Options that several commands share, and what the options about the server say together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from .connection import Fields
from .settings import MAX_PORT, Settings, SettingsFile

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


@dataclass(slots=True)
class Given:
    """The options about the server and the output, wherever they stood: before the command, behind it or in the environment."""

    flags: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def as_json(self) -> bool:
        return bool(self.flags.get("json")) or not sys.stdout.isatty()

    @property
    def no_auth_key(self) -> bool:
        """Raises UsageError when a key is given and forbidden at once."""
        forbidden = bool(self.flags.get("no_auth_key"))
        if forbidden and "auth_key" in self.flags:
            raise click.UsageError("--auth-key and --no-auth-key exclude each other.")
        return forbidden

    def settings(self) -> tuple[Settings, Settings]:
        """Of the command line and of the environment."""
        return _settings(self.flags), _settings(self.environment)


def _settings(values: dict[str, Any]) -> Settings:
    return Settings(host=values.get("host"), port=values.get("port"), auth_key=values.get("auth_key"))


def settings_file() -> SettingsFile:
    return SettingsFile(Path("~/.coal-mine.ini").expanduser())


def _remember(ctx: click.Context, param: click.Parameter, value: object) -> None:
    given = ctx.ensure_object(Given)  # the command's context shares it with the one of cmcli itself
    if value is None or value is False or param.name is None:
        return
    is_environment = ctx.get_parameter_source(param.name) is ParameterSource.ENVIRONMENT
    (given.environment if is_environment else given.flags)[param.name] = value


def server_options(*, read_environment: bool = False) -> Decorator:
    """The options about the server and the output. cmcli itself reads the environment, once."""
    twin = "COAL_MINE_{}".format if read_environment else lambda _: None
    return all_of(
        _server_option("--host", metavar="HOST", envvar=twin("HOST"), help="The server's name, address or URL, also with https."),
        _server_option("--port", type=click.IntRange(1, MAX_PORT), envvar=twin("PORT"), help="The server's port."),
        _server_option("--auth-key", "--auth_key", metavar="KEY", envvar=twin("AUTH_KEY"), help="The server's authentication key."),
        _server_option("--no-auth-key", is_flag=True, help="Send no key, even if one is configured."),
        _server_option("--json", is_flag=True, help="Print the server's answer as JSON, as in pipes."),
    )


def _server_option(*names: str, **attributes: Any) -> Decorator:
    return click.option(*names, expose_value=False, callback=_remember, **attributes)


def all_of(*options: Decorator) -> Decorator:
    """The options as one decorator; help lists them in this order."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


which_canary = all_of(
    click.option("--name", help="The canary's name."),
    click.option("--slug", help="The canary's slug."),
    click.option("--id", help="The canary's identifier."),
)

without_history = click.option("--no-history", "--terse", is_flag=True, help="Leave the history out of the output.")


def when(*, schedule_note: str = "") -> Decorator:
    """How often a trigger is due."""
    return all_of(
        click.option(
            "--periodicity",
            metavar="SECONDS|WINDOWS",
            help="Seconds between two triggers, or windows of time with their seconds: '* 0-12 * * mon-fri 300 ; * * * * sat,sun 900'.",
        ),
        click.option("--schedule", metavar="CRON", help="Instead: a trigger is due at each tick of this cron expression, plus the grace."),
        click.option("--grace", metavar="SECONDS", help=f"How long after a tick the trigger may come.{schedule_note}"),
        click.option("--timezone", metavar="ZONE", help=f"The schedule's time zone, such as Europe/Paris.{schedule_note}"),
    )


def exactly_one(values: Mapping[str, str | None]) -> Fields:
    """The one that is given, of options that exclude each other. Raises UsageError."""
    found: Fields = {name: value for name, value in values.items() if value is not None}
    if len(found) != 1:
        names = " or ".join(f"--{name}" for name in values)
        raise click.UsageError(f"Give exactly one of {names}." if found else f"Missing option {names}.")
    return found


def fields_of(options: Mapping[str, Any]) -> Fields:
    """What the server must be told: the options that were given."""
    told: Fields = {}
    for name, value in options.items():
        if isinstance(value, bool):
            told[name] = str(value).lower()
        elif isinstance(value, tuple):
            told[name] = list(value)
        elif value is not None:
            told[name] = str(value)
    return told
