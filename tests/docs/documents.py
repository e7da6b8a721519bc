"""The documents as tests read them."""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from docutils.core import publish_doctree

ROOT = Path(__file__).parents[2]
README = ROOT / "README.rst"
EXAMPLE = ROOT / "coal-mine.ini.example"
RENDERED = sorted([*ROOT.glob("*.rst"), *(ROOT / "docs").glob("*.rst")])


def doctree(path: Path, *, report_level: int = 5, halt_level: int = 5) -> nodes.document:
    settings = {"report_level": report_level, "halt_level": halt_level, "file_insertion_enabled": False}
    return publish_doctree(path.read_text(), source_path=str(path), settings_overrides=settings)


def section(title: str) -> nodes.section:
    """A section of the README with all that is in it."""
    return next(found for found in doctree(README).findall(nodes.section) if found[0].astext() == title)


def blocks(path: Path = README) -> list[str]:
    """The literal blocks, in order."""
    return [block.astext() for block in doctree(path).findall(nodes.literal_block)]


def rows(part: nodes.Element) -> list[list[str]]:
    """The cells of all tables, heads included."""
    return [[entry.astext() for entry in row] for row in part.findall(nodes.row)]


def uncommented(example: str) -> str:
    """The example with each setting and section that it shows in force; prose has a blank behind its `#`."""
    return re.sub(r"^#(?=[\[a-zA-Z])", "", example, flags=re.MULTILINE)
