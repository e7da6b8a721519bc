"""Directives that are active in the same minute."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings

from coal_mine.domain.errors import Invalid
from coal_mine.domain.periodicity import InWindows, parse_periodicity
from coal_mine.domain.windows import Windows
from tests.domain.oracle import DAYS, Rule, rules, text_of


def overlap(text: str) -> bool:
    try:
        Windows.parse(text).refuse_overlaps()
    except Invalid:
        return True
    return False


def test_the_refusal_names_both_directives_and_a_minute() -> None:
    with pytest.raises(Invalid) as refused:
        parse_periodicity("* * * * sat,sun 60 ; * 0-11 * * mon-wed 90 ; * 9 * * sat 30")

    assert str(refused.value) == (
        "periodicity: directives 1 ('* * * * sat,sun 60') and 3 ('* 9 * * sat 30') overlap, for example on 2024-01-06 at 09:00"
    )


def test_an_overlap_on_a_single_day_in_many_years_is_found() -> None:
    assert overlap("* * 29 2 * 60 ; * * * * sun#5 90")


@pytest.mark.parametrize(
    "text",
    [
        "* 0-12 * * * 60 ; * 13-23 * * * 90",
        "*/2 * * * * 60 ; 1-59/2 * * * * 90",
        "* * * * sat-sun 60 ; * * * * mon-fri 90",
        "* * 31 * * 60 ; * * * 4,6,9,11 * 90",
        "* * L 2 * 60 ; * * 1-27 2 * 90",
        "* * * * L5 60 ; * * 1-21 * 5 90",
        "* * 29 2 mon#5 60 ; * * 1-28 * * 90",
    ],
)
def test_windows_that_never_share_a_minute_do_not_overlap(text: str) -> None:
    assert isinstance(parse_periodicity(text), InWindows)


@pytest.mark.parametrize(
    "text",
    [
        "* * * * sat,sun 60 ; * 0-11 * * * 90",
        "* * * * * 60 ; * * * * * 60",
        "* * * * 0 60 ; * * * * 7 90",
        "* * L * * 60 ; * * 31 * * 90",
        "* * L * * 60 ; * * 29 2 * 90",
        "* * * * L5 60 ; * * 22 * 5 90",
        "* * LW * * 60 ; * * * * 5 90",
    ],
)
def test_windows_that_share_a_minute_overlap(text: str) -> None:
    assert overlap(text)


@settings(max_examples=60)
@given(rules(rare=True), rules(rare=True))
def test_windows_overlap_when_some_day_and_some_minute_belong_to_both(one: Rule, other: Rule) -> None:
    assume(one.ever_comes() and other.ever_comes())
    minute_shared = bool(one.minutes & other.minutes and one.hours & other.hours)
    day_shared = any(one.on(day) and other.on(day) for day in DAYS)

    assert overlap(text_of([one, other])) == (minute_shared and day_shared)
