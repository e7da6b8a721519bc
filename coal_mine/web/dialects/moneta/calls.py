"""Calls as the router of this dialect knows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from coal_mine.services.cluster import ShownNode
from coal_mine.web.bodies import json_body
from coal_mine.web.environ import Environ
from coal_mine.web.parameters import Pairs


class Call:
    """A request that was let in. Unknown parameters are passed over, as Moneta does."""

    def __init__(self, environ: Environ, path: Mapping[str, str], query: Pairs, by: str, find_node: Callable[[], ShownNode | None]) -> None:
        """`by` is who calls, for the audit log."""
        self.environ = environ
        self.path = path
        self.query = query
        self.by = by
        self._find_node = find_node

    def text(self, name: str) -> str | None:
        """The first parameter of this name."""
        return next((value for given, value in self.query if given == name), None)

    def has(self, name: str) -> bool:
        return self.text(name) is not None

    def body(self) -> Any:
        """JSON, whatever type it says to have. Raises what `json_body` does."""
        return json_body(self.environ, needed=True, any_type=True)

    @property
    def node(self) -> ShownNode | None:
        """As which node is answered: that of /node/<name>/, else the server's own, else the first live one by name; None: there is none."""
        return self._find_node()


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str  # as Bottle's router has it: /tasks/<task:re:[0-9a-z]+>
    handle: Callable[[Call], Any]  # its answer, or a value that becomes JSON


ID = "[0-9a-z]+"
TASK = f"/tasks/<task:re:{ID}>"
