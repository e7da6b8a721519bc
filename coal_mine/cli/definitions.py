"""What the options of `cmcli job` say about a job, as the JSON that the server takes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import IO, Any

import click

from coal_mine.domain.errors import Invalid

from .options import Decorator, all_of

CLEAR = "-"  # as the only value of an option: the job is as if nothing had been said about it
_SCHEDULES = ("cron", "every", "at", "rrule")
# The options that are fields of the job, and the fields' names where these differ.
_VALUES = (
    *("id", "namespace", "name", "description", "enabled", "mode", "user", "group", "workdir", "timeout", "start_deadline", "grace"),
    *("retries", "overlap", "catch_up", "mail_report", "priority", "kill_wait", "on_lost", "failure_alerts", "runner"),
    *("cpus", "mem", "disk"),
)
_LISTS = {"pool": "pools", "tag": "tags", "email": "emails", "mail_to": "mail_to"}
_OBJECTS = {"env": "env", "secret": "secrets", "label": "labels"}


class Number(click.ParamType[float]):
    """Also a hyphen, for none."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == CLEAR or isinstance(value, float):
            return value
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return int(number) if number.is_integer() else number


def which_job_file(note: str = "") -> Decorator:
    return click.option(
        "--file", type=click.File("r", encoding="utf-8"), metavar="FILE", help=f"The job as JSON; - is standard input.{note}"
    )


def definition_options() -> Decorator:
    number = Number()
    option = click.option
    return all_of(
        option("--name", help="The job's name; its canary has it, too."),
        option("--description", metavar="TEXT", help="What the job is for."),
        option("--cron", multiple=True, metavar="CRON", help="It runs at each tick of this cron expression. Schedules may be repeated."),
        option("--every", multiple=True, type=number, metavar="SECONDS", help="It runs again and again after so many seconds."),
        option("--at", multiple=True, metavar="TIME", help="It runs once, such as at 2026-12-24T18:00:00."),
        option("--rrule", multiple=True, metavar="RULE", help="It runs at the times of this recurrence rule of calendars."),
        option("--timezone", metavar="ZONE", help="Of the schedules given here, such as Europe/Paris; else UTC."),
        option("--pool", multiple=True, metavar="POOL", help="Nodes of these pools run it; default if none is given."),
        option("--mode", metavar="any|all", help="One node of the pools runs each tick, or every one does."),
        option("--user", metavar="NAME", help="As whom it runs; else as the node's own."),
        option("--group", metavar="NAME", help="With which group; else the user's."),
        option("--workdir", metavar="DIRECTORY", help="Where it runs."),
        option("--env", multiple=True, metavar="NAME=VALUE", help="A variable of its environment."),
        option("--secret", multiple=True, metavar="NAME=REFERENCE", help="A variable whose value is kept elsewhere."),
        option("--timeout", type=number, metavar="SECONDS", help="An attempt that takes longer is killed."),
        option("--kill-wait", type=number, metavar="SECONDS", help="Between the signals TERM and KILL."),
        option("--retries", type=number, metavar="NUMBER", help="So many further attempts after a failed one."),
        option("--overlap", metavar="POLICY", help="While an earlier run is under way: skip, queue_one, queue, replace or allow."),
        option("--catch-up", metavar="POLICY", help="Of ticks that passed while nobody planned, run: none, latest or all."),
        option("--on-lost", metavar="fail|rerun", help="When its node falls silent: wait for it, or run it again elsewhere."),
        option("--start-deadline", type=number, metavar="SECONDS", help="A run that has not started so long after its tick is missed."),
        option("--grace", type=number, metavar="SECONDS", help="How long after its tick a run may end well."),
        option("--priority", type=number, metavar="NUMBER", help="Of runs that are due together, the highest starts first."),
        option("--cpus", type=number, metavar="NUMBER", help="Processors that a run claims of its node."),
        option("--mem", type=number, metavar="MB", help="Memory that it claims."),
        option("--disk", type=number, metavar="MB", help="Space on the disk that it claims."),
        option("--runner", metavar="command|dummy", help="What runs it; dummy runs nothing, and is well at once."),
        option("--email", multiple=True, metavar="ADDRESS", help="Whom to alert."),
        option("--failure-alerts", metavar="first|every", help="Alert the first failure in a row, or each."),
        option("--mail-report", metavar="WHEN", help="Mail a report after runs: never, error, stdout, stderr, output or always."),
        option("--mail-to", multiple=True, metavar="ADDRESS", help="Who gets the reports."),
        option("--script", type=click.File("r", encoding="utf-8"), metavar="FILE", help="A script to run; COMMAND then is its arguments."),
        option("--param", multiple=True, metavar="NAME[=DEFAULT]", help="A parameter that `cmcli job run --param` may give."),
        option("--tag", multiple=True, metavar="TAG", help="To find it by."),
        option("--label", multiple=True, metavar="NAME=VALUE", help="Anything worth noting."),
        option("--enabled/--disabled", default=None, help="Whether its schedules count; run it by hand in any case."),
        option("--dry-run", is_flag=True, help="Only show the definition, its next ten ticks and what may be wrong with it."),
    )  # fmt: skip


class OptionsBeforeCommand(click.Command):
    """What stands behind the first word of the job's command belongs to the command: `job create --name x rsync --user y`."""

    allow_interspersed_args = False


class JobBeforeOptions(OptionsBeforeCommand):
    """The same, with the job before its options: `job update JOB --user y rsync --delete`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-"):
            only_options = click.Command(self.name, params=[param for param in self.params if isinstance(param, click.Option)])
            _, command, _ = only_options.make_parser(ctx).parse_args(args=args[1:])
            options = args[1 : len(args) - len(command)]
            if options[-1:] == ["--"]:
                options.pop()
            args = [*options, "--", args[0], *command]
        return super().parse_args(ctx, args)


def fields_of_job(options: Mapping[str, Any], command: tuple[str, ...]) -> dict[str, Any]:
    """The members of the definition that the options name; null where one is cleared. Raises UsageError."""
    fields = {name: options[name] for name in _VALUES if options.get(name) is not None}
    fields |= {field: options[name] for name, field in _LISTS.items() if options[name]}
    fields |= {field: _unless_cleared(options[name], partial(pairs_of, name)) for name, field in _OBJECTS.items() if options[name]}
    fields |= {"parameters": _unless_cleared(options["param"], _parameters)} if options["param"] else {}
    fields |= _schedules(options)
    if options["script"] is not None:
        fields["script"] = _read(options["script"])
    fields |= _command(command, is_for_script=options["script"] is not None)
    return {name: None if value in (CLEAR, (CLEAR,)) else value for name, value in fields.items()}


def _unless_cleared(given: tuple[str, ...], read: Callable[[tuple[str, ...]], Any]) -> Any:
    return given if given == (CLEAR,) else read(given)


def _schedules(options: Mapping[str, Any]) -> dict[str, Any]:
    given = [(kind, value) for kind in _SCHEDULES for value in options[kind]]
    zone = {} if options["timezone"] is None else {"timezone": options["timezone"]}
    if zone and not given:
        raise click.UsageError("--timezone says in which zone --cron, --every, --at or --rrule of the same call count; give one of these.")
    if len(given) == 1 and given[0][1] == CLEAR:
        return {"schedules": None}
    return {"schedules": [{kind: value, **zone} for kind, value in given]} if given else {}


def pairs_of(option: str, given: Iterable[str]) -> dict[str, str]:
    """Of NAME=VALUE, any number of them. Raises UsageError."""
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.UsageError(f"--{option.replace('_', '-')} {text!r} is not NAME=VALUE.")
        pairs[name] = value
    return pairs


def _parameters(given: tuple[str, ...]) -> list[dict[str, Any]]:
    return [_parameter(text) for text in given]


def _parameter(text: str) -> dict[str, Any]:
    name, equals, default = text.partition("=")
    return {"name": name, "default": default} if equals else {"name": name}


def _command(words: tuple[str, ...], *, is_for_script: bool) -> dict[str, Any]:
    """One word is a shell command; several are a program and its arguments."""
    if words and words[0].startswith("-"):
        raise click.UsageError(f"The job's command begins with {words[0]!r}; options stand before the command.")
    if not words:
        return {"command": []} if is_for_script else {}
    return {"command": words[0] if len(words) == 1 and not is_for_script else list(words)}


def json_of(file: IO[str]) -> dict[str, Any]:
    """Raises Invalid."""
    try:
        value = json.loads(_read(file))
    except ValueError as error:
        raise Invalid(f"{file.name} holds no JSON: {error}") from error
    if not isinstance(value, dict):
        raise Invalid(f"{file.name} holds no JSON object")
    return value


def _read(file: IO[str]) -> str:
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise Invalid(f"{file.name} holds no UTF-8 text: {error}") from error
