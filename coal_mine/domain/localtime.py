"""Local times and the moments that they name, through both changes of the clocks.

In spring the clocks leave some local times out: a gap. In autumn they repeat some.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from .errors import Invalid
from .times import cut

# What has not come by then never comes: a 29th of February on a given weekday returns after 40 years at most.
SEARCHED_YEARS = 50
# The calendar's very end cannot be converted between zones.
_LAST_YEAR = MAXYEAR - 1
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


def zone_named(name: str) -> ZoneInfo:
    """Raises Invalid when there is no such time zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # a directory's name or an absolute path raise the latter two
        raise Invalid(f"timezone {name[:60]!r} is not known; give a name such as Europe/Paris or UTC") from error


def check_zone_of(owner: str, name: str) -> None:
    """Raises Invalid, naming whose `timezone` it is."""
    try:
        zone_named(name)
    except Invalid as error:
        raise Invalid(f"{owner}.{error}") from error


def local_time(moment: datetime, zone: tzinfo) -> datetime:
    """What the clocks show at the moment, without a zone."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def moment_of(local: datetime, zone: tzinfo) -> datetime:
    """When the clocks show the local time: the first time if twice, the end of the gap if never."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if local_time(moment, zone) == local:
        return moment
    return _change(local.replace(tzinfo=zone, fold=1).astimezone(UTC), moment, zone)


def _change(start: datetime, end: datetime, zone: tzinfo) -> datetime:
    """The first moment after `start` with the offset of `end`, which differs from that of `start`."""
    offset = start.astimezone(zone).utcoffset()
    seconds = range((end - start) // _SECOND + 1)
    return (
        start + bisect_left(seconds, True, key=lambda passed: (start + passed * _SECOND).astimezone(zone).utcoffset() != offset) * _SECOND
    )


def lowest_bit(bits: int) -> int:
    """The place of the lowest bit that is set, of which there must be one."""
    return (bits & -bits).bit_length() - 1


@dataclass(frozen=True, slots=True)
class LocalTicks:
    """All seconds whose month, day, minute of the day and second match.

    Whoever names times of the day gets one tick for each: after a gap that has swallowed it, and only the first time when the clocks
    repeat it. Whoever says "every five minutes" means real time: nothing is made up for in a gap, and a repeated hour counts again.
    """

    zone: ZoneInfo
    months: frozenset[int]
    is_day: Callable[[date], bool]  # asked only in these months
    minutes: int  # of the day, as bits
    seconds: int  # of the minute, as bits
    real_time: bool

    def tick_after(self, at: datetime) -> datetime | None:
        """The first tick strictly later than `at`, in UTC; None when none comes within fifty years."""
        if at.year >= _LAST_YEAR:
            return None
        second = cut(at).replace(microsecond=0)
        if self.real_time:
            return self._real_tick_from(second + _SECOND)
        local = self._match_from(local_time(second, self.zone) + _SECOND)
        while local:
            tick = moment_of(local, self.zone)
            if tick > at:
                return tick
            # The clocks repeat an hour, and this time had its tick before.
            local = self._match_from(local + _SECOND)
        return None

    def _real_tick_from(self, moment: datetime) -> datetime | None:
        """Goes on from change to change of the clocks, looking for one at most until midnight: there are never two on one day."""
        last_year = moment.year + SEARCHED_YEARS
        while True:
            local = local_time(moment, self.zone)
            match = self._match_from(local)
            if match is None or match.year > last_year:
                return None
            reached = min(match, datetime.combine(local.date() + _DAY, time()))
            then = moment + (reached - local)
            if local_time(then, self.zone) != reached:
                moment = _change(moment, then, self.zone)
            elif reached == match:
                return then
            else:
                moment = max(then, moment_of(datetime.combine(match.date(), time()), self.zone))

    def _match_from(self, local: datetime) -> datetime | None:
        """The first local time that matches, from this one on."""
        day = local.date()
        if day.month in self.months and self.is_day(day):
            second = self._second_from(local.hour * 60 + local.minute, local.second)
            if second is not None:
                return datetime.combine(day, time()) + second * _SECOND
        found = self._day_from(day + _DAY)
        return datetime.combine(found, time()) + (self._second_from(0, 0) or 0) * _SECOND if found else None

    def _second_from(self, minute: int, second: int) -> int | None:
        """The first second of the day that matches, from this one on; None when that day has no more."""
        minutes, seconds = self.minutes >> minute, self.seconds >> second
        if minutes & 1 and seconds:
            return minute * 60 + second + lowest_bit(seconds)
        minutes >>= 1
        return (minute + 1 + lowest_bit(minutes)) * 60 + lowest_bit(self.seconds) if minutes else None

    def _day_from(self, day: date) -> date | None:
        last_year = min(day.year + SEARCHED_YEARS, _LAST_YEAR)
        while day.year <= last_year:
            if day.month not in self.months:
                day = (day.replace(day=1) + 31 * _DAY).replace(day=1)
            elif self.is_day(day):
                return day
            else:
                day += _DAY
        return None
