"""Words that paths begin with are no ids."""

from __future__ import annotations

import pytest

from coal_mine.domain.reserved import FIRST_SEGMENTS
from tests.api.job_calls import JobCalls


@pytest.mark.parametrize("word", sorted(FIRST_SEGMENTS))
def test_no_job_is_called_as_a_path_begins(jobs: JobCalls, word: str) -> None:
    answer = jobs.error("POST", "/jobs", {"id": word, "name": "A job", "command": "true"})

    assert answer == (400, f"id '{word}' is reserved: paths begin with it")


def test_in_a_namespace_such_a_word_is_an_id_like_any_other(jobs: JobCalls) -> None:
    assert jobs.created(id="tasks", namespace="reserved-words")["id"] == "reserved-words:tasks"


def test_a_word_of_eight_letters_that_a_path_begins_with_triggers_nothing(jobs: JobCalls) -> None:
    assert jobs.server.get("/auditlog").status_code == 401  # and not 404, as a canary that nobody knows
