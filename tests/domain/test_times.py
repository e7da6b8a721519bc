"""Times are UTC with whole milliseconds everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coal_mine.domain.times import cut, from_millis, isoformat, to_millis

MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("America/New_York")]), min_value=datetime(1990, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2015, 3, 19, 2, 8, 44, 885_182, tzinfo=UTC), "2015-03-19T02:08:44.885Z"),
        (datetime(2015, 3, 19, 2, 8, 44, tzinfo=UTC), "2015-03-19T02:08:44.000Z"),
        (datetime(2015, 3, 19, 2, 8, 44, 999_999, tzinfo=UTC), "2015-03-19T02:08:44.999Z"),
    ],
)
def test_a_time_is_written_with_milliseconds_and_a_z(moment: datetime, text: str) -> None:
    assert isoformat(moment) == text


def test_a_cut_time_is_in_utc() -> None:
    assert (
        cut(datetime(2026, 11, 22, 7, 0, 0, 1_999, tzinfo=ZoneInfo("America/New_York"))).isoformat() == "2026-11-22T12:00:00.001000+00:00"
    )


@given(MOMENTS)
def test_cutting_leaves_out_less_than_a_millisecond(moment: datetime) -> None:
    assert 0 <= (moment.astimezone(UTC) - cut(moment)).total_seconds() < 0.001


@given(MOMENTS)
def test_a_cut_time_survives_a_store_that_counts_milliseconds(moment: datetime) -> None:
    assert from_millis(to_millis(cut(moment))) == cut(moment)
