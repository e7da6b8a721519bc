"""What one start of the program, or one of its processes, is to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    web: bool = False  # serves HTTP
    background: bool = False  # watches, plans, sweeps and delivers
    node: bool = False  # runs jobs, if the configuration has a node

    @property
    def everything(self) -> bool:
        return self.web and self.background and self.node


EVERYTHING = Roles(web=True, background=True, node=True)
