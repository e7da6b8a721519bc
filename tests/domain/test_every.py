"""A number of seconds as a periodicity."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coal_mine.domain.errors import Invalid
from coal_mine.domain.periodicity import Every, parse_periodicity
from coal_mine.domain.seconds import MAX_SECONDS, later, whole
from coal_mine.domain.times import END_OF_TIME
from tests.domain.samples import HOUR, NOW


def test_the_deadline_comes_so_many_seconds_after_the_event() -> None:
    assert Every(3_600).deadline_after(NOW) == NOW + HOUR


def test_a_part_of_a_second_counts() -> None:
    assert Every(0.5).deadline_after(NOW) == NOW + timedelta(milliseconds=500)


def test_a_deadline_has_whole_milliseconds() -> None:
    assert Every(0.0019).deadline_after(NOW) == NOW + timedelta(milliseconds=1)


@given(st.integers(1, MAX_SECONDS * 1_000))
def test_a_deadline_lies_after_its_event(millis: int) -> None:
    assert Every(millis / 1_000).deadline_after(NOW) > NOW


@pytest.mark.parametrize(("text", "seconds"), [("3600", 3_600), ("3600.0", 3_600), (" 90 ", 90), ("0.5", 0.5), (".5", 0.5), ("7.", 7)])
def test_a_positive_number_is_accepted(text: str, seconds: float) -> None:
    assert parse_periodicity(text) == Every(seconds)


@pytest.mark.parametrize("text", ["3600", "3600.0"])
def test_a_whole_number_stays_an_integer(text: str) -> None:
    periodicity = parse_periodicity(text)

    assert isinstance(periodicity, Every)
    assert type(periodicity.seconds) is int


@pytest.mark.parametrize(
    "text", ["", "0", "0.0", "-5", "+5", "nan", "inf", "-inf", "1e3", "0x10", "1_000", ".", "1.2.3", "abc", "\N{ARABIC-INDIC DIGIT THREE}"]
)
def test_what_is_not_a_positive_number_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=r"periodicity .* is not a positive number of seconds, nor a schedule"):
        parse_periodicity(text)


@pytest.mark.parametrize("text", ["0.0009", str(MAX_SECONDS + 1), "9" * 400])
def test_a_number_out_of_all_proportion_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="does not lie between"):
        parse_periodicity(text)


def test_a_very_long_text_is_refused_without_repeating_it() -> None:
    with pytest.raises(Invalid, match="periodicity has 1000000 characters; at most 4096 are allowed"):
        parse_periodicity("9" * 1_000_000)


@pytest.mark.parametrize("seconds", [1e15, 1e300, float("inf")])
def test_a_deadline_stops_at_the_end_of_the_calendar(seconds: float) -> None:
    assert later(NOW, seconds) == END_OF_TIME


@pytest.mark.parametrize(("value", "expected"), [(3600.0, "3600"), (0.5, "0.5"), (float("inf"), "inf")])
def test_only_a_whole_number_is_written_without_a_fraction(value: float, expected: str) -> None:
    assert str(whole(value)) == expected
