"""A single tick."""

from __future__ import annotations

import pytest

from coal_mine.domain.errors import Invalid
from tests.domain.ticking import NEW_YORK, PARIS, instant, parsed, ticks


def test_it_ticks_once() -> None:
    assert ticks({"at": "2026-12-24T18:00:00", "timezone": PARIS}, "2026-11-22", 2) == ["24 18:00 +0100"]


@pytest.mark.parametrize("text", ["2026-12-24T18:00:00Z", "2026-12-24 18:00z", "2026-12-24T19:00:00+01:00", "2026-12-24T19:00+0100"])
def test_a_time_with_an_offset_needs_no_zone(text: str) -> None:
    assert parsed({"at": text, "timezone": NEW_YORK}).tick_after(instant("2026-11-22")) == instant("2026-12-24T18:00")


def test_parts_of_a_millisecond_are_cut() -> None:
    assert parsed({"at": "2026-12-24T18:00:00.123456Z"}).tick_after(instant("2026-11-22")) == instant("2026-12-24T18:00:00.123")


def test_one_in_the_past_is_read_and_does_not_tick() -> None:
    assert ticks({"at": "2026-01-01T00:00:00Z"}, "2026-11-22", 1) == []


def test_it_stays_as_it_was_written() -> None:
    assert parsed({"at": "2026-12-24 18:00", "timezone": PARIS}).as_json() == {"at": "2026-12-24 18:00", "timezone": PARIS}


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "2026-12-24", "20261224T180000", "2026-W52-4T18:00", "2026-02-30T00:00", "٢٠٢٦-12-24T18:00"],
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=rf"^schedules\[2\]\.at '{text}': is not a time such as"):
        parsed({"at": text})


@pytest.mark.parametrize("text", ["0001-01-01T00:00+14:00", "1969-12-31T23:59Z", "9999-12-31T23:59:59-12:00"])
def test_a_year_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="the year must lie between 1971 and 9000"):
        parsed({"at": text})


@pytest.mark.parametrize("value", [None, 1_790_000_000, ["2026-12-24T18:00:00Z"]])
def test_only_a_text_is_a_time(value: object) -> None:
    with pytest.raises(Invalid, match=r"^schedules\[2\]\.at .*: must be a text"):
        parsed({"at": value})
