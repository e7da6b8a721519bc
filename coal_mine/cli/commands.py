"""The commands, one function each."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from coal_mine import __version__

from .connection import Connection, Fields
from .importing import import_
from .jobs import job
from .nodes import execution, node, pool
from .options import Given, exactly_one, fields_of, server_options, settings_file, when, which_canary, without_history
from .runs import run
from .settings import resolve

EXAMPLES = """\b
Examples:
  cmcli configure --host coal-mine-server --port 8080 --auth-key KEY
  cmcli create --name 'Nightly backup' --periodicity $((60*60*25)) --email me@example.com
  cmcli create --name 'Payroll' --schedule '0 6 * * mon-fri' --grace 1800 --timezone Europe/Paris
  cmcli trigger --slug nightly-backup --comment 'took 12 min'
  cmcli list --late
  cmcli get --name 'Nightly backup' --json
  cmcli update --name 'Nightly backup' --email -
\b
The server and the key come from the options, else from COAL_MINE_HOST, COAL_MINE_PORT and COAL_MINE_AUTH_KEY,
else from ~/.coal-mine.ini. If none of them names a server, it is http://127.0.0.1:8080. A host without a port
means port 80, or 443 for https.
\b
Exit status: 0 done, 1 the server said no or did not answer, 2 wrong usage.
"""


@click.group(epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@server_options(read_environment=True)
@click.version_option(__version__, prog_name="cmcli", help="Print the version and exit.")
def cli() -> None:
    """Ask a Coal Mine server: it tells you when a periodic job did not run.

    Each option below may also stand behind the command.
    """


@cli.command(epilog="A URL as --host also replaces the port, by its own or its scheme's.")
@server_options()
@click.pass_obj
def configure(given: Given, /) -> None:
    """Save --host, --port and --auth-key in ~/.coal-mine.ini.

    What is not given stays as it is; --no-auth-key removes the key. Only you can read the file afterwards.
    """
    file = settings_file()
    flags, _ = given.settings()
    file.change(flags, forget_key=given.no_auth_key)
    server = resolve([file.settings])
    file.write()
    click.echo(f"Saved: {server.shown}, {'with a key' if server.auth_key else 'no key'}.", err=True)


@cli.command(epilog="\b\nExample (25 hours):\n  cmcli create --name 'My Second Canary' --periodicity $((60*60*25))")
@click.option("--name", required=True, help="The canary's name; the slug follows from it.")
@when(schedule_note=" Only with --schedule.")
@click.option("--description", help="What the canary watches.")
@click.option("--email", multiple=True, help="Whom to alert; may be repeated.")
@click.option("--paused", is_flag=True, default=None, help="Create it paused; it waits for its first trigger.")
@without_history
@server_options()
@click.pass_obj
def create(given: Given, /, no_history: bool, **options: Any) -> None:
    """Create a canary."""
    exactly_one({name: options[name] for name in ("periodicity", "schedule")})
    _show(given, _ask(given, "create", fields_of(options)), no_history=no_history)


@cli.command()
@which_canary
@server_options()
@click.pass_obj
def delete(given: Given, /, **which: str | None) -> None:
    """Delete a canary and its history."""
    _show(given, _ask(given, "delete", exactly_one(which)), done="Deleted.")


@cli.command(epilog="\b\nExample (no more mails):\n  cmcli update --slug my-second-canary --email -")
@click.option("--name", help="With --id or --slug: the new name. Alone: the canary's name.")
@click.option("--slug", help="The canary's slug.")
@click.option("--id", help="The canary's identifier.")
@when()
@click.option("--description", help="The new description.")
@click.option("--email", multiple=True, help='The new addresses, all of them; may be repeated. "-" alone clears them.')
@without_history
@server_options()
@click.pass_obj
def update(given: Given, /, no_history: bool, name: str | None, slug: str | None, id: str | None, **changes: Any) -> None:
    """Change a canary. What is not given stays as it is."""
    if slug is None and id is None:
        which = exactly_one({"id": None, "slug": None, "name": name})
        id = _ask(given, "get", which)["canary"]["id"]
        name = None
    else:
        exactly_one({"id": id, "slug": slug})
    fields = fields_of({"id": id, "slug": slug, "name": name, **changes})
    _show(given, _ask(given, "update", fields), no_history=no_history)


@cli.command()
@which_canary
@without_history
@server_options()
@click.pass_obj
def get(given: Given, /, no_history: bool, **which: str | None) -> None:
    """Show a canary."""
    _show(given, _ask(given, "get", exactly_one(which)), no_history=no_history)


@cli.command(name="list", epilog="\b\nExample (all that are late, with everything about them):\n  cmcli list --late --verbose")
@click.option("--verbose", is_flag=True, default=None, help="All about each canary.")
@click.option("--paused/--no-paused", default=None, help="Only those that are paused, or only those that are not.")
@click.option("--late/--no-late", default=None, help="Only those that are late, or only those that are not.")
@click.option("--search", metavar="REGEX", help="Only those whose name, slug, identifier or an email address matches.")
@without_history
@server_options()
@click.pass_obj
def list_(given: Given, /, no_history: bool, verbose: bool | None, **filters: Any) -> None:
    """List canaries."""
    # A table shows the state and the deadline, which only the verbose answer has.
    fields = fields_of({"verbose": verbose or not given.as_json or None, **filters})
    _show(given, _ask(given, "list", fields), no_history=no_history, as_sheets=bool(verbose))


@cli.command()
@which_canary
@click.option("--comment", help="Kept in the canary's history.")
@server_options()
@click.pass_obj
def trigger(given: Given, /, comment: str | None, **which: str | None) -> None:
    """Say that a canary's job has run."""
    answer = _ask(given, "trigger", exactly_one(which) | fields_of({"comment": comment}))
    found = [text for name, text in (("recovered", "It was late."), ("unpaused", "It was paused.")) if answer.get(name)]
    _show(given, answer, done=" ".join(["Triggered.", *found]))


@cli.command()
@which_canary
@click.option("--comment", help="Kept in the canary's history.")
@without_history
@server_options()
@click.pass_obj
def pause(given: Given, /, no_history: bool, comment: str | None, **which: str | None) -> None:
    """Stop expecting a canary's triggers."""
    _show(given, _ask(given, "pause", exactly_one(which) | fields_of({"comment": comment})), no_history=no_history)


@cli.command()
@which_canary
@click.option("--comment", help="Kept in the canary's history.")
@without_history
@server_options()
@click.pass_obj
def unpause(given: Given, /, no_history: bool, comment: str | None, **which: str | None) -> None:
    """Expect a paused canary's triggers again."""
    _show(given, _ask(given, "unpause", exactly_one(which) | fields_of({"comment": comment})), no_history=no_history)


for group in (job, run, node, pool, execution, import_):
    cli.add_command(group)


def _ask(given: Given, /, command: str, fields: Fields) -> dict[str, Any]:
    no_key = given.no_auth_key
    server = resolve([*given.settings(), settings_file().settings], with_key=not no_key)
    return Connection(server).ask(command, fields)


def _show(given: Given, /, answer: dict[str, Any], *, no_history: bool = False, as_sheets: bool = True, done: str = "") -> None:
    """Print the answer: as JSON, or for people."""
    canaries = answer.get("canaries", [answer["canary"]] if "canary" in answer else [])
    if no_history:
        for canary in canaries:
            canary.pop("history", None)
    if given.as_json:
        print(json.dumps(answer, indent=4))
        return
    if done:
        print(done)
        return
    from .display import Display  # rich is slow to import

    Display(sys.stdout).show(canaries, as_sheets=as_sheets)
