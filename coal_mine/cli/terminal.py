"""Tables and sheets on a terminal. Texts of the server are never taken for markup or escape sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coal_mine.clock import SystemClock
from coal_mine.domain.text import printable

from .wording import distance, second

ROOMY = 80  # columns of a terminal
MARGIN = (0, 2, 0, 0)


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown. Symbol, word and colour would each do alone."""

    symbol: str
    plain_symbol: str  # for terminals that only know ASCII
    colour: str


class Terminal:
    def __init__(self, file: IO[str]) -> None:
        self.console = Console(file=file, highlight=False)
        self.now = SystemClock().now()
        self._has_symbols = self.console.encoding.lower().startswith("utf")

    @property
    def is_roomy(self) -> bool:
        return self.console.width >= ROOMY

    def state(self, look: Look, words: str) -> Text:
        shown = text(f"{look.symbol if self._has_symbols else look.plain_symbol} {words}")
        shown.stylize(look.colour)
        return shown

    def moment(self, value: object, shown: Callable[[datetime], str] = second) -> Text:
        """A time in UTC and how far away it is; empty for none."""
        if not isinstance(value, str):
            return Text("")
        at = time_of(value)
        return Text(f"{shown(at)}, {distance(at, self.now)}")

    def table(self, table: Table, summary: str) -> None:
        self.console.print(table)
        self.console.print(text(f"\n{summary}"))

    def sheet(self, facts: Iterable[tuple[str, Text]]) -> None:
        table = plain_table()
        for label, value in facts:
            table.add_row(Text(label, style="bold"), value)
        self.console.print(table)

    def heading(self, words: str) -> None:
        self.console.print(Text(f"\n{words}", style="bold"))


def list_table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)


def plain_table() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=MARGIN)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def time_of(value: str) -> datetime:
    return datetime.fromisoformat(value)


def text(value: object) -> Text:
    """Old databases may hold anything, and a terminal obeys control characters."""
    return Text("\n".join(printable(line) for line in str(value).splitlines()))


def pairs(values: Mapping[str, object]) -> Text:
    return text("\n".join(f"{name}={value}" for name, value in values.items()))


def counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
