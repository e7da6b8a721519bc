"""A schedule in cron's words: five fields, six with the second first, an alias such as @daily, and H for a time that suits the job.

`H` stands for one value of its field, `H(0-29)` for one of these, `H/15` for one in each fifteen and `H(0-29)/10` for both. Which one
follows from the seed, the job's id unless another is given: always the same for one job, and spread over the field for many.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from coal_mine.domain.cron import ALIASES, counts_real_time, local_ticks, without_alias
from coal_mine.domain.errors import Invalid
from coal_mine.domain.localtime import LocalTicks

from .reading import Value, refuse, text_of, zone_of

KEYS = ("cron", "timezone", "seed")

# Each field's values. An H among the days of the month takes only those that each month has.
_RANGES = {"second": (0, 59), "minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6)}
_LAST_COMMON_DAY = 28
_HASH = re.compile(r"H(?:\(([0-9]{1,2})-([0-9]{1,2})\))?(?:/([0-9]{1,4}))?")


@dataclass(frozen=True, slots=True)
class Crontab:
    expression: str  # as it was given
    timezone: str
    seed: str  # "" when nothing depends on it
    _ticks: LocalTicks = field(repr=False, compare=False)

    @classmethod
    def parse(cls, value: Value, *, field: str, seed: str, timezone: str) -> Crontab:
        """Raises Invalid."""
        expression, zone = text_of(value, "cron", field), zone_of(value, field, timezone)
        fields = without_alias(expression).upper().split()
        if len(fields) not in (5, 6):
            refuse(field, "cron", expression, f"needs five fields, six with the second first, or one of {', '.join(ALIASES)}")
        hashed = any(_HASH.fullmatch(item) for part in fields for item in part.split(","))
        seed = (text_of(value, "seed", field) if value.get("seed") is not None else seed) if hashed else ""
        try:
            return cls(expression, zone.key, seed, _ticks(fields, zone, seed))
        except Invalid as error:
            refuse(field, "cron", expression, str(error))

    def tick_after(self, at: datetime) -> datetime | None:
        return self._ticks.tick_after(at)

    def as_json(self) -> dict[str, Any]:
        return {"cron": self.expression, "timezone": self.timezone} | ({"seed": self.seed} if self.seed else {})


def _ticks(fields: list[str], zone: ZoneInfo, seed: str) -> LocalTicks:
    names = list(_RANGES)[-len(fields) :]
    written = [_resolved(text, name, seed) for name, text in zip(names, fields, strict=True)]
    # H/15 is as much a period as */15 is, though it is written as a list for cronsim.
    periodic = " ".join(re.sub(r"^H[^,]*/", "*/", text) for text in fields)
    return local_ticks(" ".join(written), zone, real_time=counts_real_time(periodic))


def _resolved(text: str, name: str, seed: str) -> str:
    """The field as cronsim reads it: without H, and without the question mark that Quartz and others write for any day."""
    if text == "?" and name in ("day", "weekday"):
        return "*"
    return ",".join(_resolved_item(item, name, seed) for item in text.split(","))


def _resolved_item(item: str, name: str, seed: str) -> str:
    lowest, highest = _RANGES[name]
    step_text = item.rpartition("/")[2] if "/" in item else ""
    if step_text.isdecimal() and int(step_text) > highest - lowest + 1:
        raise Invalid(f"{item}: the field of the {name} goes from {lowest} to {highest} and has no step of {step_text}")
    match = _HASH.fullmatch(item)
    if not match:
        return item
    low, high = (int(match[1]), int(match[2])) if match[1] else (lowest, _LAST_COMMON_DAY if name == "day" else highest)
    step = int(match[3] or high - low + 1)
    if not lowest <= low <= high <= highest or not step:
        raise Invalid(f"{item} is not possible in the field of the {name}, which goes from {lowest} to {highest}")
    first = low + _hash(f"{name} {seed}") % min(step, high - low + 1)
    return ",".join(map(str, range(first, high + 1, step)))


def _hash(text: str) -> int:
    """Unlike Python's own, the same in each process and version."""
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])
