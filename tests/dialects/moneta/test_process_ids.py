"""The names of processes: ids of runs in the letters that Moneta's paths allow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coal_mine.domain.errors import NotFound
from coal_mine.web.dialects.moneta.processes import process_id, run_id_of

LETTERS = re.compile("[0-9a-z]+")


@given(some.text(min_size=1, max_size=80).filter(lambda text: text.isprintable()))
def test_every_run_has_a_process_that_names_it(run_id: str) -> None:
    process = process_id(run_id)

    assert LETTERS.fullmatch(process)
    assert run_id_of(process) == run_id


@given(some.from_regex(LETTERS, fullmatch=True))
def test_a_process_names_at_most_one_run(process: str) -> None:
    try:
        run_id = run_id_of(process)
    except NotFound:
        return
    assert process_id(run_id) == process


@pytest.mark.parametrize("process", ["1", "mfrgh", "aa======", "MFRGG", "7777777777"])
def test_what_names_no_run_is_refused(process: str) -> None:
    with pytest.raises(NotFound, match="there is no process"):
        run_id_of(process)
