"""Ticks of a cron expression in a time zone.

cronsim reads the expressions and knows the days; the times of the day are ours, because cronsim leaves out half an hour on Lord Howe,
and treats expressions with seconds as if the clocks were never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from .errors import Invalid
from .localtime import LocalTicks, zone_named
from .times import END_OF_TIME, EPOCH

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression of five fields as Debian's cron reads it, right at both changes of daylight saving time."""

    expression: str
    zone: ZoneInfo
    _ticks: LocalTicks = field(repr=False, compare=False)

    @classmethod
    def parse(cls, expression: str, timezone: str) -> Cron:
        """Raises Invalid when the expression or the zone's name is wrong, or when no tick would ever come."""
        fields = without_alias(expression)
        if len(fields.split()) != 5:
            raise Invalid(
                f"schedule {expression!r} must have five fields (minute hour day month weekday) or be one of {', '.join(ALIASES)}"
            )
        zone = zone_named(timezone)
        try:
            ticks = local_ticks(fields, zone, real_time=counts_real_time(fields))
        except Invalid as error:
            raise Invalid(f"schedule {expression!r}: {error}") from error
        if ticks.tick_after(EPOCH) is None:
            raise Invalid(f"schedule {expression!r} never comes")
        return cls(fields, zone, ticks)

    def tick_after(self, at: datetime) -> datetime:
        """The first tick strictly later than `at`, in UTC."""
        return self._ticks.tick_after(at) or END_OF_TIME


def without_alias(expression: str) -> str:
    return ALIASES.get(expression.strip().lower(), expression)


def counts_real_time(fields: str) -> bool:
    """Debian's rule: whoever begins the minute or the hour with a star wants a period, not a time of the day."""
    minute, hour = fields.split()[-5:-3]
    return minute.startswith("*") or hour.startswith("*")


def local_ticks(fields: str, zone: ZoneInfo, *, real_time: bool) -> LocalTicks:
    """The ticks of five fields, or of six with the second first. Raises Invalid with the fault alone."""
    try:
        cron = CronSim(fields, EPOCH)
    except CronSimError as error:
        raise Invalid(fault_of(error, fields.split())) from error
    return LocalTicks(
        zone=zone,
        months=frozenset(cron.months),
        is_day=_day_test(" ".join(fields.split()[-3:])),
        minutes=minutes_of_day(cron.hours, cron.minutes),
        seconds=sum(1 << second for second in cron.seconds),
        real_time=real_time,
    )


def fault_of(error: CronSimError, fields: list[str]) -> str:
    """cronsim calls the 30th of February a bad day, though its day is one of other months, and its month has others."""
    day, month = -3, -2
    never_comes = all(_is_known([*fields[:place], "*", *fields[place + 1 :]]) for place in (day, month))
    return "never comes" if never_comes else str(error)


def _is_known(fields: list[str]) -> bool:
    try:
        CronSim(" ".join(fields), EPOCH)
    except CronSimError:
        return False
    return True


def minutes_of_day(hours: Set[int], minutes: Set[int]) -> int:
    """As bits."""
    hour = sum(1 << minute for minute in minutes)
    return sum(hour << 60 * place for place in hours)


@lru_cache(maxsize=1_024)
def _day_test(day_fields: str) -> Callable[[date], bool]:
    """Most expressions share a few combinations of day, month and weekday, and cronsim's sets are large."""
    return CronSim(f"0 0 {day_fields}", EPOCH).match_day
