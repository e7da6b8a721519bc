"""Changes of a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from coal_mine.domain.job import Definition, Job, OnLost, Retries
from coal_mine.domain.run import (
    ANY,
    End,
    Origin,
    Result,
    Run,
    RunState,
    abandoned,
    claimed,
    ended,
    gone,
    lock_of,
    lost,
    missed,
    planned,
    started,
    unclaimed,
)
from tests.domain.samples import NOW, SECOND

MINUTE = timedelta(minutes=1)


def queued(**fields: Any) -> Run:
    job = Job(
        id="job", definition=Definition(name="Backup", command="true", **fields), canary_id="abcdefgh", version=1, created_at=NOW,
        changed_at=NOW, next_at=NOW,
    )  # fmt: skip
    return planned(job, NOW, ANY, origin=Origin.SCHEDULE, start_by=NOW + MINUTE, now=NOW)


def claim(run: Run) -> Run:
    return claimed(run, node="alpha", boot="boot", nonce="n", lock="job|0", now=NOW).after


def running(**fields: Any) -> Run:
    return started(claim(queued(**fields)), NOW).after


def end(run: Run, exit_code: int = 1, **values: Any) -> Run:
    facts: dict[str, Any] = {"end": End.EXITED, "started_at": NOW, "ended_at": NOW + SECOND, "exit_code": exit_code}
    return ended(run, Result(**facts | values)).after


def test_a_tick_names_its_run() -> None:
    assert queued().id == "job.20261122T120000250Z.any"


def test_a_node_and_a_job_with_dots_in_its_id_share_no_lock() -> None:
    on_alpha = replace(queued(), slot="alpha")

    assert lock_of(on_alpha, 0) != lock_of(replace(queued(), job_id="job.alpha"), 0)


def test_a_claim_is_an_attempt_with_a_new_epoch() -> None:
    run = claim(queued())

    assert (run.state, run.attempt, run.epoch, run.lock) == (RunState.CLAIMED, 1, 1, "job|0")


def test_a_claim_that_was_given_back_is_no_attempt_but_keeps_its_epoch() -> None:
    run = unclaimed(claim(queued()), "never started").after

    assert (run.state, run.attempt, run.epoch, run.lock) == (RunState.QUEUED, 0, 1, "")


def test_a_claim_that_was_given_back_while_it_was_out_of_reach_shows_no_end() -> None:
    silent = abandoned(claim(queued()), "silent", NOW).after

    assert unclaimed(silent, "never started").after.ended_at is None


def test_a_run_that_is_run_again_after_it_was_out_of_reach_shows_no_end() -> None:
    silent = replace(running(on_lost=OnLost.RERUN), state=RunState.UNREACHABLE, ended_at=NOW)

    assert gone(silent, "its node was removed", NOW).after.ended_at is None


def test_a_good_run_is_done_gives_its_lock_away_and_owes_its_canary_a_word() -> None:
    run = end(running(), exit_code=0)

    assert (run.state, run.lock, run.owed, run.reason) == (RunState.DONE, "", True, "")


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"exit_code": 3}, "exit status 3"),
        ({"end": End.SIGNALLED, "exit_code": None, "signal": 9}, "ended by signal 9"),
        ({"end": End.TIMED_OUT, "exit_code": None}, "timed out"),
        ({"end": End.NOT_STARTED, "exit_code": None, "error": "no such file"}, "no such file"),
        ({"end": End.TIMED_OUT, "exit_code": 0}, "timed out"),
    ],
)
def test_why_a_run_has_failed_is_said(result: dict[str, Any], reason: str) -> None:
    run = end(running(), **result)

    assert (run.state, run.reason) == (RunState.FAILED, reason)


def test_a_killed_run_is_not_tried_again() -> None:
    assert end(running(retries=Retries(most=3)), end=End.KILLED, exit_code=None).state is RunState.KILLED


def test_each_wait_is_longer_than_the_one_before_and_shaken_by_a_fifth_at_most() -> None:
    run = running(retries=Retries(most=4, wait_seconds=10, factor=2, longest_seconds=30))
    waits = []
    for _ in range(4):
        run = end(run)
        waits.append((run.due_at - (NOW + SECOND)).total_seconds())
        run = claim(run)

    assert all(0.8 * expected <= wait <= 1.2 * expected for wait, expected in zip(waits, (10, 20, 30, 30), strict=True))


def test_after_the_last_attempt_it_has_failed() -> None:
    run = end(claim(end(running(retries=Retries(most=1)))))

    assert (run.state, run.attempt, len(run.past_attempts)) == (RunState.FAILED, 2, 1)


def test_a_run_that_waits_for_its_next_attempt_keeps_its_lock_and_owes_nothing() -> None:
    run = end(running(retries=Retries(most=1)))

    assert (run.state, run.lock, run.owed, run.node) == (RunState.RETRYING, "job|0", False, "")


def test_a_run_out_of_reach_turns_out_to_be_alive() -> None:
    run = started(abandoned(running(), "silent", NOW + MINUTE).after, NOW + MINUTE).after

    assert (run.state, run.started_at, run.ended_at) == (RunState.RUNNING, NOW, None)


def test_a_run_that_may_be_doubled_gets_another_epoch_and_attempt_when_its_node_is_silent() -> None:
    run = claim(abandoned(running(on_lost=OnLost.RERUN), "silent", NOW).after)

    assert (run.epoch, run.attempt) == (3, 2)


def test_a_run_of_which_nothing_goes_on_is_lost_or_run_again() -> None:
    assert gone(running(), "restarted", NOW).after.state is RunState.LOST
    assert gone(running(on_lost=OnLost.RERUN), "restarted", NOW).after.state is RunState.QUEUED


@pytest.mark.parametrize(
    ("run", "state"),
    [
        (queued(), RunState.MISSED),
        (end(running(retries=Retries(most=1))), RunState.FAILED),
        (gone(running(on_lost=OnLost.RERUN), "restarted", NOW).after, RunState.LOST),
    ],
    ids=["never started", "failed before", "lost before"],
)
def test_what_was_not_started_in_time_is_what_it_was_before(run: Run, state: RunState) -> None:
    assert missed(run, "nobody", NOW).after.state is state


def test_what_is_owed_is_owed_anew_by_each_change() -> None:
    silent = abandoned(running(), "silent", NOW).after

    assert "owed" in lost(silent, "restarted", NOW).changed


def test_orders_are_never_written_by_a_change() -> None:
    run = running()

    assert "orders" not in ended(replace(run, orders=("kill",)), Result(end=End.EXITED, started_at=NOW, ended_at=NOW, exit_code=0)).changed
