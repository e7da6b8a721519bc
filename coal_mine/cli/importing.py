"""cmcli import: take over what an older system has written down."""

from __future__ import annotations

from typing import IO

import click

from coal_mine.domain.errors import CoalMineError

from .answers import say, show
from .connection import Connection
from .keys import server_for_jobs
from .options import Given, server_options

_REFUSED = 1


@click.group(name="import")
def import_() -> None:
    """Take over the tasks of an older system."""


@import_.command(
    epilog="\b\nExamples:\n"
    "  cmcli import moneta backup.json --dry-run\n"
    "  curl -s http://moneta:32000/tasks | cmcli import moneta -\n"
    "\n\nIt may be repeated: what is as in the file stays as it is, and so do tasks that the file does not have. "
    "The exit status is 1 when anything was refused."
)
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--disabled", is_flag=True, help="Disable each of the tasks, for as long as Moneta itself still runs them.")
@server_options()
@click.pass_obj
def moneta(given: Given, /, file: IO[bytes], dry_run: bool, disabled: bool) -> None:
    """Import tasks and options of Moneta.

    FILE is a backup by Moneta's plugin configbackup, or by this program's [moneta] backup, in JSON or YAML; or what GET /tasks answers.
    A hyphen stands for standard input.
    """
    from .moneta.file import read_file  # what these import is slow
    from .moneta.importer import Importer, Item, Result, as_json
    from .moneta.report import draw, progress

    content = read_file(file.name, file.read())
    content = content.disabled() if disabled else content
    importer = Importer(Connection(server_for_jobs(given)), dry_run=dry_run)
    place = importer.place().with_options(content.options)
    items: list[Item] = []
    try:
        items.extend(progress(importer.each(content), total=content.count))
    except CoalMineError:
        say(f"{len(items)} of {content.count} are done; what is missing follows when the same command is given again")
        raise
    show(given, as_json(items, place, dry_run=dry_run), lambda tables: draw(tables, items, place, dry_run=dry_run))
    if any(item.result is Result.REFUSED for item in items):
        raise click.exceptions.Exit(_REFUSED)
