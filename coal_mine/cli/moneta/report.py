"""What became of an import, on a terminal."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.progress import track
from rich.text import Text

from coal_mine.cli.terminal import Look, Terminal, counted, list_table, text

from .importer import Item, Place, Result

_LOOKS = {
    Result.CREATED: Look("✓", "+", "green"),
    Result.UPDATED: Look("✓", "+", "green"),
    Result.UNCHANGED: Look("=", "=", "yellow"),
    Result.REFUSED: Look("✗", "!", "bold red"),
}


def progress(items: Iterable[Item], *, total: int) -> Iterator[Item]:
    """The same items; people see how many have come, on standard error, if that is a terminal."""
    console = Console(file=sys.stderr)
    return iter(track(items, "Importing", total=total, console=console, transient=True, disable=not console.is_terminal))


def draw(terminal: Terminal, items: Sequence[Item], place: Place, *, dry_run: bool) -> None:
    """All that is not as before, how many of each, and what decides when they run."""
    told = [item for item in items if item.result is not Result.UNCHANGED or item.warnings]
    if told:
        _table(terminal, told)
    for kind in ("task", "option"):
        _summary(terminal, [item for item in items if item.kind == kind], kind)
    terminal.console.print(text(f"Schedules are read in the time zone {place.timezone}."))
    if dry_run:
        terminal.console.print("Nothing was written: this was a dry run.")
    elif place.execution:
        terminal.console.print("Tasks that are enabled run from their next tick on.")
    else:
        terminal.console.print("Execution is off: no task runs before cmcli execution on.")


def _table(terminal: Terminal, items: Sequence[Item]) -> None:
    table = list_table()
    for heading in ("Task or option", "Name", "Result"):
        table.add_column(heading, overflow="fold", min_width=8)
    for item in items:
        more = f": {', '.join(item.changes)}" if item.changes else f": {item.reason}" if item.reason else ""
        state = terminal.state(_LOOKS[item.result], f"{item.result}{more}")
        for warning in item.warnings:
            state.append("\nWarning: ", style="yellow").append_text(text(warning))
        table.add_row(text(item.id), text(item.name), state)
    terminal.console.print(table)
    terminal.console.print(Text())


def _summary(terminal: Terminal, items: Sequence[Item], kind: str) -> None:
    numbers = Counter(item.result for item in items)
    if items:
        words = ", ".join(f"{numbers[result]} {result}" for result in Result if numbers[result])
        terminal.console.print(text(f"{counted(len(items), kind, f'{kind}s')}: {words}"))
