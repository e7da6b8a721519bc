"""What one start of the program is to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of the options were given; none means everything."""

    only_web: bool = False
    only_background: bool = False
    only_node: bool = False

    @property
    def everything(self) -> bool:
        return not (self.only_web or self.only_background or self.only_node)

    @property
    def web(self) -> bool:
        return self.only_web or self.everything

    @property
    def background(self) -> bool:
        return self.only_background or self.everything

    @property
    def node(self) -> bool:
        """If the configuration has one, that is."""
        return self.only_node or self.everything
