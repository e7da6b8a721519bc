"""The one form of time inside Coal Mine: aware, UTC, whole milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def cut(moment: datetime) -> datetime:
    """The same moment in UTC without the fraction of a millisecond: stores keep no more, and both must give back the same value."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_millis(moment: datetime) -> int:
    return (moment - EPOCH) // _MILLISECOND


def from_millis(millis: int) -> datetime:
    return EPOCH + timedelta(milliseconds=millis)


def isoformat(moment: datetime) -> str:
    """`2015-03-19T02:08:44.885Z`, the form in which every answer and every mail writes a time."""
    text = moment.isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"
