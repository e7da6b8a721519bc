"""Ticks of a cron expression in a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from .errors import Invalid
from .times import EPOCH, cut

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

    @classmethod
    def parse(cls, expression: str, timezone: str) -> Cron:
        """Raises Invalid when the expression or the zone's name is wrong, or when no tick would ever come."""
        fields = ALIASES.get(expression.strip().lower(), expression)
        if len(fields.split()) != 5:
            raise Invalid(
                f"schedule {expression!r} must have five fields (minute hour day month weekday) or be one of {', '.join(ALIASES)}"
            )
        cron = cls(fields, _zone(timezone))
        try:
            cron.tick_after(EPOCH)
        except CronSimError as error:
            raise Invalid(f"schedule {expression!r}: {error}") from error
        except StopIteration:
            raise Invalid(f"schedule {expression!r} never comes") from None
        return cron

    def tick_after(self, at: datetime) -> datetime:
        """The first tick strictly later than `at`, in UTC."""
        ticks = CronSim(self.expression, at.astimezone(self.zone))
        # Asked in an hour that the clocks repeat, cronsim begins with ticks of the first time round.
        return next(moment for tick in ticks if (moment := cut(tick)) > at)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # a directory's name or an absolute path raise the latter two
        raise Invalid(f"timezone {name[:60]!r} is not known; give a name such as Europe/Paris or UTC") from error
