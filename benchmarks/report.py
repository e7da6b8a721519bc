"""Rows of figures: shown as they come, then written as JSON and as tables for the documentation."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

Row = dict[str, Any]
_PACKAGES = ("bottle", "granian", "pymongo")


class Report:
    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._tables: dict[str, list[Row]] = {}
        self._facts = _machine()

    def say(self, text: str) -> None:
        print(f"  {datetime.now(UTC):%H:%M:%S} {text}", flush=True)

    def add(self, table: str, **cells: Any) -> None:
        self._tables.setdefault(table, []).append(cells)
        self.say(f"{table}: " + ", ".join(f"{name} {_shown(value)}" for name, value in cells.items()))
        self._write()  # each time, so that a run that is broken off leaves what it found

    def show(self) -> None:
        print("\n".join(self._text()))

    def _write(self) -> None:
        if self._directory:
            self._directory.mkdir(parents=True, exist_ok=True)
            found = {"machine": self._facts, "tables": self._tables}
            (self._directory / "results.json").write_text(json.dumps(found, indent=2) + "\n")
            (self._directory / "results.rst").write_text("\n".join(self._text()) + "\n")

    def _text(self) -> list[str]:
        facts = {**self._facts, "load at the end": _load()}
        lines = [f"- {name}: {value}" for name, value in facts.items()]
        for title, rows in self._tables.items():
            lines += ["", title, "-" * len(title), "", *_table(rows)]
        return lines


def _table(rows: list[Row]) -> list[str]:
    """A simple table of reStructuredText."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    texts = [columns, *([_shown(row.get(name)) or "-" for name in columns] for row in rows)]
    widths = [max(len(line[place]) for line in texts) for place in range(len(columns))]
    rule = "  ".join("=" * width for width in widths)
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in texts]
    return [rule, lines[0], rule, *lines[1:], rule]


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value or "")


def _machine() -> Row:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": _output("git", "rev-parse", "--short", "HEAD"),
        "processors": f"{os.cpu_count()} x {_processor()}",
        "system": f"{platform.system()} {platform.release()}",
        "versions": f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}",
        "load at the start": _load(),
    }


def _load() -> str:
    """Above the number of processors: others were using the machine."""
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _output(*command: str) -> str:
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    return found.stdout.strip() or "unknown"
