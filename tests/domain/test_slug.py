"""The slug that follows from a name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coal_mine.domain.errors import Invalid
from coal_mine.domain.text import checked_name, slug_of


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("My First Canary", "my-first-canary"),
        ("my-FIRST_canary", "my-first-canary"),
        ("_a__b--c _d", "-a-b-c-d"),
        ("ID: 1/2", "id-12"),
        ("P0.5", "p05"),
        ("Café ☃", "café-"),
        ("tab\tand\nline", "tab-and-line"),
        ("Резервная копия", "резервная-копия"),
    ],
)
def test_a_slug_is_the_name_in_lower_case_with_hyphens_and_without_signs(name: str, slug: str) -> None:
    assert slug_of(name) == slug


@given(st.text())
def test_a_slug_holds_only_letters_digits_and_hyphens(name: str) -> None:
    assert re.fullmatch(r"(-|[^\W_])*", slug_of(name))


@given(st.text(alphabet=" -_\t\n", min_size=1))
def test_a_run_of_blanks_underscores_and_hyphens_is_one_hyphen(run: str) -> None:
    assert slug_of(f"a{run}b") == "a-b"


@pytest.mark.parametrize("name", ["!!!", "???", "   ", "--", "_", "☃"])
def test_a_name_without_letters_and_digits_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="name must contain at least one letter or digit"):
        checked_name(name)
