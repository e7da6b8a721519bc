"""/auditlog and /tasks/<id>/auditlog."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from dateutil import parser

from coal_mine.domain.errors import Invalid
from coal_mine.domain.ports import Clock
from coal_mine.domain.times import cut

from .calls import TASK, Call, Route
from .documents import timestamp
from .log import MAX_PAGE, LogQuery, MonetaLog

_USUAL = timedelta(days=1)
_LONGEST = 100
# The plus sign of an offset is a blank in a query, unless somebody has thought of that.
_LOST_PLUS = re.compile(r"(\dT[\d:.]+) (\d\d:?\d\d)$")
# Years in which something can have happened.
_FIRST_YEAR, _LAST_YEAR = 1970, 9000


class AuditLogRoutes:
    def __init__(self, log: MonetaLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    def routes(self) -> list[Route]:
        return [Route("GET", "/auditlog", self.read), Route("GET", f"{TASK}/auditlog", self.read)]

    def read(self, call: Call) -> Any:
        """Of a task that was deleted, too."""
        wanted = self._query(call)
        page = self._log.read(wanted)
        return {
            "from": timestamp(wanted.since),
            "until": timestamp(wanted.until),
            "limit": wanted.limit,
            "offset": wanted.offset,
            "count": page.count,
            "levels": page.levels,
            "types": page.types,
            "records": page.records,
            **({} if wanted.task is None else {"task": wanted.task}),
        }

    def _query(self, call: Call) -> LogQuery:
        # What has happened in this millisecond has happened.
        now = self._clock.now() + timedelta(milliseconds=1)
        until = _moment(call, "until", now)
        return LogQuery(
            since=_moment(call, "from", until - _USUAL),
            until=until,
            task=call.path.get("task"),
            levels=_words(call, "level"),
            types=_words(call, "type"),
            offset=_number(call, "offset", 0, 1_000_000_000),
            limit=_number(call, "limit", 100, MAX_PAGE),
        )


def _moment(call: Call, name: str, default: datetime) -> datetime:
    """In any form that dateutil reads; without an offset it is UTC, and what is not said is that of `default`'s day. Raises Invalid."""
    text = call.text(name)
    if text is None:
        return default
    midnight = default.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    try:
        found = parser.parse(_LOST_PLUS.sub(r"\1+\2", text[:_LONGEST]), default=midnight, tzinfos=_offset)
        moment = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError):
        raise Invalid(f"{name} {text[:_LONGEST]!a} is not a time such as 2026-11-22T10:00:00Z") from None
    if not _FIRST_YEAR <= moment.year < _LAST_YEAR:
        raise Invalid(f"{name} {text[:_LONGEST]!a} is not in the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return cut(moment)


def _offset(name: str | None, seconds: int | None) -> int | None:
    """Raises ValueError for the name of a zone: several share one."""
    if name and seconds is None:
        raise ValueError(name)
    return seconds


def _words(call: Call, name: str) -> frozenset[str] | None:
    """None: it is not given. One that is empty matches nothing."""
    text = call.text(name)
    return None if text is None else frozenset(word.strip() for word in text.split(",") if word.strip())


def _number(call: Call, name: str, default: int, most: int) -> int:
    text = call.text(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most):
        raise Invalid(f"{name} {text[:40]!a} is not a whole number from 0 to {most}")
    return int(text)
