"""Changes of runs, one after the other; for those at the same time see test_runs_races.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coal_mine.domain.errors import NotFound
from coal_mine.domain.ports import Store
from coal_mine.domain.run import (
    Outcome,
    RunState,
    abandoned,
    ended,
    lost,
    missed,
    postponed,
    skipped,
    started,
    unclaimed,
    unreachable,
)
from tests.stores.examples import MILLISECOND, NOW, SECOND
from tests.stores.run_examples import (
    ELSEWHERE,
    RETRYING,
    added,
    added_claimed,
    added_ended,
    added_running,
    claim,
    result,
    run,
    written,
)


def test_a_run_that_goes_well_is_stored_at_each_step(store: Store) -> None:
    queued = added(store)
    found = [store.runs.get(queued.id)]
    claimed = written(store, claim(queued, lock="lock"))
    found.append(store.runs.get(queued.id))
    running = written(store, started(claimed, NOW + SECOND))
    found.append(store.runs.get(queued.id))
    done = written(store, ended(running, result()))
    found.append(store.runs.get(queued.id))

    assert found == [queued, claimed, running, done]


def test_a_failed_attempt_is_stored_with_the_wait_for_the_next(store: Store) -> None:
    waiting = written(store, ended(added_running(store, definition=RETRYING, lock="lock"), result(1)))
    again = written(store, claim(waiting, "nonce-2"))

    assert (waiting.state, again.lock, again.past_attempts) == (RunState.RETRYING, "lock", waiting.past_attempts)
    assert store.runs.get(again.id) == again


def test_a_claim_that_was_given_back_leaves_the_run_as_before_but_for_the_epoch(store: Store) -> None:
    queued = added(store)
    given_back = written(store, unclaimed(written(store, claim(queued, lock="lock")), ""))

    assert store.runs.get(queued.id) == given_back == replace(queued, epoch=1)


def test_a_run_that_is_postponed_is_due_later(store: Store) -> None:
    one = written(store, postponed(added(store), NOW + SECOND))

    assert store.runs.due(NOW, node=None, limit=10) == []
    assert store.runs.due(NOW + SECOND, node=None, limit=10) == [one]


def test_a_claim_that_is_repeated_is_won_again(store: Store) -> None:
    change = claim(added(store), lock="lock")

    assert [store.runs.change([change]) for _ in range(2)] == [[Outcome.WON]] * 2
    assert store.runs.get(change.before.id) == change.after


def test_the_same_claim_with_another_nonce_is_lost(store: Store) -> None:
    queued = added(store)
    first = written(store, claim(queued, "first"))

    assert store.runs.change([claim(queued, "second")]) == [Outcome.LOST]
    assert store.runs.get(queued.id) == first


def test_an_end_that_is_repeated_is_won_again(store: Store) -> None:
    change = ended(added_running(store), result())

    assert [store.runs.change([change]) for _ in range(2)] == [[Outcome.WON]] * 2


def test_an_end_that_somebody_else_wrote_at_another_time_is_lost(store: Store) -> None:
    queued = added(store)
    first = written(store, missed(queued, "nobody was there", NOW))

    assert store.runs.change([missed(queued, "nobody was there", NOW + MILLISECOND)]) == [Outcome.LOST]
    assert store.runs.get(queued.id) == first


def test_a_late_write_of_an_old_epoch_is_lost(store: Store) -> None:
    running = added_running(store, definition=ELSEWHERE)
    queued_again = written(store, abandoned(running, "silent", NOW))
    elsewhere = written(store, started(written(store, claim(queued_again, "other", node="node-2")), NOW + SECOND))

    assert store.runs.change([ended(running, result())]) == [Outcome.LOST]
    assert store.runs.get(running.id) == elsewhere


def test_a_late_result_of_an_unreachable_run_counts(store: Store) -> None:
    running = added_running(store)
    silent = written(store, unreachable(running, "silent"))

    assert store.runs.change([ended(silent, result())]) == [Outcome.WON]
    assert store.runs.get(running.id).state is RunState.DONE


def test_a_result_after_a_run_was_given_up_is_lost(store: Store) -> None:
    running = added_running(store)
    written(store, lost(running, "silent", NOW))

    assert store.runs.change([ended(running, result())]) == [Outcome.LOST]


def test_a_change_of_a_run_that_does_not_exist_is_lost(store: Store) -> None:
    assert store.runs.change([claim(run(), lock="lock")]) == [Outcome.LOST]


def test_a_run_that_needs_a_lock_of_another_is_locked_and_stays_as_it_was(store: Store) -> None:
    added_claimed(store, lock="lock")
    second = added(store)

    assert store.runs.change([claim(second, lock="lock")]) == [Outcome.LOCKED]
    assert store.runs.get(second.id) == second


def test_a_run_that_was_taken_by_another_is_lost_and_not_locked(store: Store) -> None:
    first = added(store)
    added_claimed(store, lock="lock")
    written(store, claim(first, "other"))

    assert store.runs.change([claim(first, lock="lock")]) == [Outcome.LOST]


@pytest.mark.parametrize("ending", ["done", "given back", "lost"])
def test_the_end_of_a_run_frees_its_lock(store: Store, ending: str) -> None:
    claimed = added_claimed(store, lock="lock")
    changes = {"done": ended(claimed, result()), "given back": unclaimed(claimed, ""), "lost": lost(claimed, "", NOW)}
    written(store, changes[ending])

    assert store.runs.change([claim(added(store), lock="lock")]) == [Outcome.WON]


def test_a_run_between_two_attempts_keeps_its_lock(store: Store) -> None:
    written(store, ended(added_running(store, definition=RETRYING, lock="lock"), result(1)))

    assert store.runs.change([claim(added(store), lock="lock")]) == [Outcome.LOCKED]


def test_many_runs_without_a_lock_are_under_way_at_once(store: Store) -> None:
    assert store.runs.change([claim(added(store)) for _ in range(3)]) == [Outcome.WON] * 3


def test_changes_that_are_written_together_have_each_its_own_outcome(store: Store) -> None:
    added_claimed(store, lock="taken")
    ours = claim(added(store), lock="ours")
    store.runs.change([ours])
    stale = added(store)
    written(store, skipped(stale, "", NOW))
    changes = [
        claim(added(store), lock="free"),
        claim(added(store), lock="taken"),
        ours,
        claim(stale),
        claim(run()),
        ended(added_running(store), result()),
        claim(added(store), lock="free"),
    ]

    assert store.runs.change(changes) == [
        Outcome.WON,
        Outcome.LOCKED,
        Outcome.WON,
        Outcome.LOST,
        Outcome.LOST,
        Outcome.WON,
        Outcome.LOCKED,
    ]
    assert [store.runs.get(each.before.id) for each in (changes[0], changes[1], changes[5])] == [
        changes[0].after,
        changes[1].before,
        changes[5].after,
    ]


def test_nothing_to_change_is_no_change(store: Store) -> None:
    assert store.runs.change([]) == []


def test_fields_that_a_change_leaves_alone_keep_what_others_wrote(store: Store) -> None:
    running = added_running(store)
    store.runs.order(running.id, "kill")
    done = written(store, ended(running, result()))

    assert store.runs.get(running.id) == replace(done, orders=("kill",))


def test_a_run_that_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="nosuchrun"):
        store.runs.get("nosuchrun")


def test_what_is_said_of_a_run_with_a_very_long_id_is_short(store: Store) -> None:
    with pytest.raises(NotFound) as caught:
        store.runs.get("a" * 100_000)

    assert len(str(caught.value)) < 300


def test_of_many_runs_those_that_exist_are_found(store: Store) -> None:
    ones = [added(store), added_ended(store, at=NOW + MILLISECOND)]

    assert store.runs.find([*(one.id for one in ones), "nosuchrun"]) == {one.id: one for one in ones}
