"""How the commands of jobs, runs and nodes tell what they have to tell."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from coal_mine.domain.errors import CoalMineError
from coal_mine.domain.text import printable

from .options import Given

if TYPE_CHECKING:  # rich is slow to import
    from .tables import Tables


class Unreadable(CoalMineError):
    """The answer is JSON, and lacks what a table would show."""


def show(given: Given, answer: dict[str, Any], draw: Callable[[Tables], None]) -> None:
    """As JSON, or for people."""
    if given.as_json:
        print(json.dumps(answer, indent=4))
        return
    from .tables import Tables

    try:
        draw(Tables(sys.stdout))
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"the server's answer is not as expected ({error!r}), perhaps it has another version; --json shows it") from error


def done(given: Given, answer: dict[str, Any], words: str) -> None:
    print(json.dumps(answer, indent=4) if given.as_json else words)


def say(words: str) -> None:
    """What is not the answer itself."""
    print(f"cmcli: {printable(words)}", file=sys.stderr, flush=True)
