"""How directives may be written, and what is said about those that are wrong."""

from __future__ import annotations

import pytest

from coal_mine.domain.errors import Invalid
from coal_mine.domain.windows import MAX_DIRECTIVES, Windows


def same(one: str, other: str) -> bool:
    """Are both active in exactly the same minutes of the same days?"""
    first, second = (Windows.parse(f"{fields} 60")._directives[0] for fields in (one, other))
    return (first.minutes, first.days) == (second.minutes, second.days)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("* * * * SAT,Sun", "* * * * 6,0"),
        ("* * * * 7", "* * * * 0"),
        ("* * * * sat-sun", "* * * * 0,6"),
        ("* * * * fri-sun", "* * * * 5,6,7"),
        ("* * * * sun-tue", "* * * * 0,1,2"),
        ("* * * * sun-sun", "* * * * 0"),
        ("* * * * mon-sun/2", "* * * * 1,3,5,0"),
        ("* * * * mon/2", "* * * * 1,3,5"),
        ("* * * * 6/1", "* * * * 6"),
        ("* * * * */2", "* * * * 0,2,4,6"),
        ("* * * jan-mar *", "* * * 1,2,3 *"),
        ("* * * oct/2 *", "* * * 10,12 *"),
        ("5/20 * * * *", "5,25,45 * * * *"),
        ("0 20/2 * * *", "0 20,22 * * *"),
        ("0 0 25/3 * *", "0 0 25,28,31 * *"),
        ("5-5/20 * * * *", "5 * * * *"),
        ("*/25 * * * *", "0,25,50 * * * *"),
        ("3-25/7 * * * *", "3,10,17,24 * * * *"),
        ("0-10,30-40/5 * * * *", "0-10,30,35,40 * * * *"),
        ("0 1 ? * sun", "0 1 * * 0"),
        ("0 1 1 * ?", "0 1 1 * *"),
        ("0 1 * * L5", "0 1 * * 5L"),
        ("0 1 * * l1-3,5", "0 1 * * 1L,2L,3L,5"),
        ("0 1 l 2 *", "0 1 L 2 *"),
    ],
)
def test_a_field_may_be_written_as_the_predecessors_parser_knows_it(written: str, meant: str) -> None:
    assert same(written, meant)


@pytest.mark.parametrize("text", ["* * * * * 60;", ";;* * * * * 60", "# all day\n* * * * * 60\n", "# a ; * * * * * 60 ; # b"])
def test_empty_parts_and_comments_are_skipped(text: str) -> None:
    assert len(Windows.parse(text)._directives) == 1


@pytest.mark.parametrize("text", ["", ";", " ; # only a comment ; "])
def test_a_schedule_without_a_directive_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="the schedule has no directive"):
        Windows.parse(text)


def test_as_many_directives_as_the_limit_allows_are_accepted() -> None:
    windows = Windows.parse(" ; ".join(f"{minute} * * * * 60" for minute in range(MAX_DIRECTIVES)))

    assert len(windows._directives) == MAX_DIRECTIVES


def test_more_directives_than_the_limit_are_refused() -> None:
    with pytest.raises(Invalid, match="61 directives; at most 60"):
        Windows.parse("* * * * * 60 ;" * (MAX_DIRECTIVES + 1))


@pytest.mark.parametrize(
    ("directive", "fault"),
    [
        ("* * * * 300", r"has 5 fields"),
        ("* * * * * 300 # five", r"has 8 fields"),
        ("60 * * * * 300", r"Bad minute"),
        ("* 24 * * * 300", r"Bad hour"),
        ("* * 0 * * 300", r"Bad day-of-month"),
        ("* * * 13 * 300", r"Bad month"),
        ("* * * * 8 300", r"Bad day-of-week"),
        ("* * * * fri-mon 300", r"Bad day-of-week"),
        ("*/0 * * * * 300", r"Bad minute"),
        ("5/0 * * * * 300", r"Bad minute"),
        ("? * * * * 300", r"Bad minute"),
        ("L * * * * 300", r"Bad minute"),
        ("\N{ARABIC-INDIC DIGIT THREE} * * * * 300", r"Bad minute"),
        (",5 * * * * 300", r"Bad minute"),
        ("* * * * L8 300", r"Bad day-of-week"),
        ("* * * * L5-3 300", r"Bad day-of-week"),
        ("* * * * 5#6 300", r"Bad day-of-week"),
        ("* * 30 2 * 300", r"never comes"),
        ("* * 31 4,6,9,11 * 300", r"never comes"),
        ("* * 8 * 5#1 300", r"names a date that never comes"),
        ("* * LW * sun 300", r"names a date that never comes"),
        ("* * * * * nan", r"the last field 'nan' is not a positive number"),
        ("* * * * * inf", r"the last field 'inf' is not a positive number"),
        ("* * * * * 0", r"the last field '0' is not a positive number"),
        ("* * * * * -5", r"the last field '-5' is not a positive number"),
        ("* * * * * 9999999999", r"the last field '9999999999' does not lie between"),
    ],
)
def test_a_wrong_directive_is_named_with_its_fault(directive: str, fault: str) -> None:
    with pytest.raises(Invalid, match=rf"periodicity: directive 2 .*{fault}"):
        Windows.parse(f"* 0-1 * * * 60 ; {directive}")
