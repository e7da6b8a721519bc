"""Where a record stands in a list, for those who need no more of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

What = TypeVar("What", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Generic[What]):
    at: datetime  # by which the list is ordered
    id: str
    about: str  # the job's id, or the option's name
    what: What  # the state of a run, the kind of a change
    was_taken: bool = True  # of a run: a node has ever taken it
