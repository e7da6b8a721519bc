"""Canaries as people read them on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import IO, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coal_mine.clock import SystemClock
from coal_mine.domain.text import printable

from .wording import distance, duration, minute, second

Canary = dict[str, Any]

WINDOWS_SHOWN = 10
ROOMY = 80  # columns of a terminal
MARGIN = (0, 2, 0, 0)


class Display:
    """A terminal. Texts of the server are never taken for markup or escape sequences."""

    def __init__(self, file: IO[str]) -> None:
        self._console = Console(file=file, highlight=False)
        self._has_symbols = self._console.encoding.lower().startswith("utf")
        self._now = SystemClock().now()

    def show(self, canaries: Sequence[Canary], *, as_sheets: bool) -> None:
        if not canaries:
            self._console.print("No canaries found.")
        elif as_sheets:
            for place, canary in enumerate(canaries):
                if place:
                    self._console.print()
                self._sheet(canary)
        else:
            self._list(canaries)

    def _list(self, canaries: Sequence[Canary]) -> None:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        table.add_column("Name", overflow="fold", min_width=8)
        table.add_column("Id", no_wrap=True, min_width=8)
        table.add_column("State", no_wrap=True)
        table.add_column("Deadline (UTC)", no_wrap=self._console.width >= ROOMY, min_width=10)
        table.add_column("Periodicity", overflow="fold", min_width=8)
        for canary in canaries:
            name, identifier = _text(canary.get("name")), _text(canary.get("id"))
            table.add_row(name, identifier, self._state(canary), self._deadline(canary, minute), _periodicity(canary))
        self._console.print(table)
        late, paused = (sum(bool(canary.get(state)) for canary in canaries) for state in ("late", "paused"))
        noun = "canary" if len(canaries) == 1 else "canaries"
        self._console.print(f"\n{len(canaries)} {noun}: {late} late, {paused} paused")

    def _sheet(self, canary: Canary) -> None:
        table = _plain_table()
        for label, value in self._facts(canary):
            table.add_row(Text(label, style="bold"), value)
        self._console.print(table)
        history = canary.get("history")
        if history:
            self._console.print(Text("\nHistory (UTC), newest first", style="bold"))
            entries = _plain_table()
            for at, text in history:
                entries.add_row(second(_time(at)), _text(text))
            self._console.print(entries)

    def _facts(self, canary: Canary) -> Iterable[tuple[str, Text]]:
        yield "Name", _text(canary.get("name"))
        yield "Id", _text(canary.get("id"))
        yield "Slug", _text(canary.get("slug"))
        yield "State", self._state(canary)
        yield "Deadline (UTC)", self._deadline(canary, second)
        yield "Periodicity", _periodicity(canary)
        if windows := canary.get("periodicity_schedule"):
            yield "Windows (UTC)", _windows(windows)
        yield "Emails", _text("\n".join(canary.get("emails", [])) or "none: nobody is alerted")
        if description := canary.get("description"):
            yield "Description", _text(description)

    def _state(self, canary: Canary) -> Text:
        """A symbol, a word and a colour, each of which would do alone."""
        states = [state for state in ("late", "paused") if canary.get(state)]
        symbol, colour = {"late": ("✗", "bold red"), "paused": ("=", "yellow")}[states[0]] if states else ("✓", "green")
        symbol = symbol if self._has_symbols else {"✗": "!", "✓": "+"}.get(symbol, symbol)
        return Text(f"{symbol} {', '.join(states) or 'on time'}", style=colour)

    def _deadline(self, canary: Canary, shown: Callable[[datetime], str]) -> Text:
        if "deadline" not in canary:
            return Text("none" if canary.get("paused") else "")
        at = _time(canary["deadline"])
        return Text(f"{shown(at)}, {distance(at, self._now)}")


def _plain_table() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=MARGIN)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(value: object) -> Text:
    """Old databases may hold anything, and a terminal obeys control characters."""
    return Text("\n".join(printable(line) for line in str(value).splitlines()))


def _periodicity(canary: Canary) -> Text:
    if "schedule" in canary:
        return _text(f"{canary['schedule']}, {canary.get('timezone', 'UTC')}, grace {duration(canary.get('grace', 0))}")
    value = canary.get("periodicity", "")
    return _text(value if isinstance(value, str) else duration(value))


def _windows(spans: Sequence[tuple[str, str, object]]) -> Text:
    lines = [f"{minute(_time(start))} to {minute(_time(end))}: {_rule(seconds)}" for start, end, seconds in spans[:WINDOWS_SHOWN]]
    if len(spans) > WINDOWS_SHOWN:
        lines.append(f"and {len(spans) - WINDOWS_SHOWN} more, which --json shows")
    return _text("\n".join(lines))


def _rule(seconds: object) -> str:
    return duration(seconds) if isinstance(seconds, int | float) else "no deadline"
