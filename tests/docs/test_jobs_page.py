"""The page about jobs names everything that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from coal_mine.domain.definition import definition_as_json
from coal_mine.domain.job import CatchUpPolicy, Definition, MailReport, OverlapPolicy
from coal_mine.domain.run import RunState

PAGE = (Path(__file__).parents[2] / "docs/jobs.rst").read_text()


@pytest.mark.parametrize("field", definition_as_json(Definition(name="any")))
def test_each_field_of_a_job_is_explained(field: str) -> None:
    assert f"``{field}``" in PAGE


@pytest.mark.parametrize("word", [*RunState, *OverlapPolicy, *CatchUpPolicy, *MailReport])
def test_each_state_and_policy_is_explained(word: str) -> None:
    assert f"``{word}``" in PAGE
