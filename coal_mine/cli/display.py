"""Canaries as people read them on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from .terminal import Look, Terminal, counted, list_table, plain_table, text, time_of
from .wording import duration, minute, second

Canary = dict[str, Any]

WINDOWS_SHOWN = 10
LOOKS = {"late": Look("✗", "!", "bold red"), "paused": Look("=", "=", "yellow"), "on time": Look("✓", "+", "green")}


class Display(Terminal):
    def show(self, canaries: Sequence[Canary], *, as_sheets: bool) -> None:
        if not canaries:
            self.console.print("No canaries found.")
        elif as_sheets:
            for place, canary in enumerate(canaries):
                if place:
                    self.console.print()
                self._canary(canary)
        else:
            self._list(canaries)

    def _list(self, canaries: Sequence[Canary]) -> None:
        table = list_table()
        table.add_column("Name", overflow="fold", min_width=8)
        table.add_column("Id", no_wrap=True, min_width=8)
        table.add_column("State", no_wrap=True)
        table.add_column("Deadline (UTC)", no_wrap=self.is_roomy, min_width=10)
        table.add_column("Periodicity", overflow="fold", min_width=8)
        for canary in canaries:
            name, identifier = text(canary.get("name")), text(canary.get("id"))
            table.add_row(name, identifier, self._state(canary), self._deadline(canary, minute), _periodicity(canary))
        late, paused = (sum(bool(canary.get(state)) for canary in canaries) for state in ("late", "paused"))
        self.table(table, f"{counted(len(canaries), 'canary', 'canaries')}: {late} late, {paused} paused")

    def _canary(self, canary: Canary) -> None:
        self.sheet(self._facts(canary))
        history = canary.get("history")
        if history:
            self.heading("History (UTC), newest first")
            entries = plain_table()
            for at, entry in history:
                entries.add_row(second(time_of(at)), text(entry))
            self.console.print(entries)

    def _facts(self, canary: Canary) -> Iterable[tuple[str, Text]]:
        yield "Name", text(canary.get("name"))
        yield "Id", text(canary.get("id"))
        yield "Slug", text(canary.get("slug"))
        yield "State", self._state(canary)
        yield "Deadline (UTC)", self._deadline(canary, second)
        yield "Periodicity", _periodicity(canary)
        if windows := canary.get("periodicity_schedule"):
            yield "Windows (UTC)", _windows(windows)
        yield "Emails", text("\n".join(canary.get("emails", [])) or "none: nobody is alerted")
        if description := canary.get("description"):
            yield "Description", text(description)

    def _state(self, canary: Canary) -> Text:
        states = [state for state in ("late", "paused") if canary.get(state)] or ["on time"]
        look = LOOKS[states[0]]
        return self.state(look, ", ".join(states))

    def _deadline(self, canary: Canary, shown: Callable[[datetime], str]) -> Text:
        if "deadline" not in canary:
            return Text("none" if canary.get("paused") else "")
        return self.moment(canary["deadline"], shown)


def _periodicity(canary: Canary) -> Text:
    if "schedule" in canary:
        return text(f"{canary['schedule']}, {canary.get('timezone', 'UTC')}, grace {duration(canary.get('grace', 0))}")
    value = canary.get("periodicity", "")
    return text(value if isinstance(value, str) else duration(value))


def _windows(spans: Sequence[tuple[str, str, object]]) -> Text:
    lines = [f"{minute(time_of(start))} to {minute(time_of(end))}: {_rule(seconds)}" for start, end, seconds in spans[:WINDOWS_SHOWN]]
    if len(spans) > WINDOWS_SHOWN:
        lines.append(f"and {len(spans) - WINDOWS_SHOWN} more, which --json shows")
    return text("\n".join(lines))


def _rule(seconds: object) -> str:
    return duration(seconds) if isinstance(seconds, int | float) else "no deadline"
