"""The exit status that stands for what became of a run."""

from __future__ import annotations

from typing import Any

import pytest

from coal_mine.cli.outcomes import exit_status, verdict
from coal_mine.domain.run import ENDED


@pytest.mark.parametrize(
    ("run", "status"),
    [
        ({"state": "done", "end": "exited", "exit_code": 0}, 0),
        ({"state": "failed", "end": "exited", "exit_code": 3}, 3),
        ({"state": "failed", "end": "signalled", "signal": 11}, 139),
        ({"state": "failed", "end": "timed_out", "signal": 15}, 124),
        ({"state": "failed", "end": "not_started"}, 1),
        ({"state": "failed", "end": None}, 1),
        ({"state": "killed", "end": "killed", "signal": 15}, 143),
        ({"state": "killed", "end": "killed", "exit_code": 0}, 1),
        ({"state": "killed", "end": None}, 1),
        ({"state": "missed", "end": None}, 1),
        ({"state": "lost", "end": "exited", "exit_code": 7}, 1),
        ({"state": "skipped", "end": None}, 1),
    ],
    ids=str,
)
def test_the_exit_status_follows_from_how_the_run_ended(run: dict[str, Any], status: int) -> None:
    assert exit_status(run) == status


def test_every_state_in_which_runs_end_has_its_own_words() -> None:
    words = {verdict({"id": "x", "state": state, "reason": "because"}) for state in ENDED}

    assert words == {
        "run x is done: because",
        "run x has failed: because",
        "run x was killed: because",
        "run x is lost: because",
        "run x was missed: because",
        "run x was skipped: because",
    }
