"""Several things at once, in threads: a run is started once, whoever wants it."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from coal_mine.domain.ports import Store
from coal_mine.domain.run import Outcome, Run, RunChange, RunState, ended, lost, missed, postponed, started, unreachable
from tests.stores.examples import NOW, SECOND, at_once
from tests.stores.run_examples import MINUTE, added, added_claimed, added_running, claim, node, result, run

WON, LOST, LOCKED = Outcome.WON, Outcome.LOST, Outcome.LOCKED


def _at_once(store: Store, batches: list[list[RunChange]]) -> list[list[Outcome]]:
    return at_once([lambda batch=batch: store.runs.change(batch) for batch in batches])


def test_of_claims_at_once_one_wins(store: Store) -> None:
    one = added(store)
    claims = [claim(one, f"nonce-{number}", node=f"node-{number}") for number in range(8)]
    outcomes = list(chain(*_at_once(store, [[each] for each in claims])))

    assert sorted(outcomes) == [LOST] * 7 + [WON]
    assert store.runs.get(one.id) == claims[outcomes.index(WON)].after


def test_of_many_runs_each_is_claimed_by_one_node(store: Store) -> None:
    runs = [run() for _ in range(50)]
    store.runs.add(runs)
    batches = [[claim(one, f"{number}-{one.id}", node=f"node-{number}") for one in runs] for number in range(4)]
    outcomes = _at_once(store, batches)
    winners = [[of_node[place] for of_node in outcomes].index(WON) for place in range(50)]

    assert sum(of_node.count(WON) for of_node in outcomes) == 50
    assert sum(of_node.count(LOST) for of_node in outcomes) == 150
    assert store.runs.find([one.id for one in runs]) == {one.id: batches[winners[place]][place].after for place, one in enumerate(runs)}


def test_of_runs_that_need_one_lock_at_once_one_gets_it(store: Store) -> None:
    claims = [claim(added(store), lock="lock") for _ in range(8)]
    outcomes = list(chain(*_at_once(store, [[each] for each in claims])))

    assert sorted(outcomes) == [LOCKED] * 7 + [WON]
    assert [each.state for each in store.runs.find([one.before.id for one in claims]).values()].count(RunState.CLAIMED) == 1


def test_the_same_claim_repeated_at_once_is_won_by_each(store: Store) -> None:
    """A call whose answer was lost may still be under way when it is repeated."""
    changes = [claim(added(store), lock=f"lock-{number}") for number in range(10)]
    outcomes = _at_once(store, [changes] * 4)

    assert outcomes == [[WON] * 10] * 4


def test_of_an_end_and_the_loss_of_a_run_at_once_one_is_recorded(store: Store) -> None:
    silent = [unreachable(added_running(store), "silent").after for _ in range(10)]
    store.runs.change([RunChange(before=replace(one, state=RunState.RUNNING, reason="", owed=False), after=one) for one in silent])
    batches = [[ended(one, result()) for one in silent], [lost(one, "silent for a day", NOW) for one in silent]]
    outcomes = _at_once(store, batches)
    found = store.runs.find([one.id for one in silent])

    assert [sorted(each) for each in zip(*outcomes, strict=True)] == [[LOST, WON]] * 10
    assert [found[one.id].state is RunState.DONE for one in silent] == [outcome is WON for outcome in outcomes[0]]


def test_of_a_claim_and_the_end_of_the_wait_at_once_one_is_recorded(store: Store) -> None:
    runs = [added(store) for _ in range(10)]
    outcomes = _at_once(store, [[claim(one) for one in runs], [missed(one, "late", NOW) for one in runs]])

    assert [sorted(each) for each in zip(*outcomes, strict=True)] == [[LOST, WON]] * 10


def test_a_lock_passes_from_run_to_run_and_two_never_have_it(store: Store) -> None:
    """Each thread claims, ends and claims the next, always with the lock."""

    def work(number: int) -> list[list[str]]:
        beside: list[list[str]] = []
        for _ in range(10):
            mine = claim(added(store), f"nonce-{number}", lock="lock")
            if store.runs.change([mine]) == [WON]:
                beside.append([other.id for other in store.runs.live_on("node-1") if other.id != mine.before.id])
                store.runs.change([ended(mine.after, result())])
        return beside

    seen = list(chain(*at_once([lambda number=number: work(number) for number in range(4)])))

    assert len(seen) > 0
    assert seen == [[]] * len(seen)


def test_planners_at_once_add_each_run_once(store: Store) -> None:
    runs = [run(tick=NOW + number * SECOND) for number in range(50)]
    counts = at_once([lambda: store.runs.add(runs) for _ in range(4)])

    assert sum(counts) == 50
    assert store.runs.find([one.id for one in runs]) == {one.id: one for one in runs}


def test_planners_of_a_new_version_at_once_replace_each_run_once(store: Store) -> None:
    old = [run() for _ in range(20)]
    store.runs.add(old)
    new = [replace(one, job_version=2, priority=5) for one in old]
    counts = at_once([lambda: store.runs.add(new) for _ in range(4)])

    assert sum(counts) == 20
    assert store.runs.find([one.id for one in old]) == {one.id: one for one in new}


def test_a_withdrawal_among_claims_takes_none_that_was_claimed(store: Store) -> None:
    runs = [run(job_id="backup", tick=NOW + number * SECOND) for number in range(1, 31)]
    store.runs.add(runs)
    outcomes, withdrawn = at_once(
        [lambda: store.runs.change([claim(one) for one in runs]), lambda: store.runs.withdraw("backup", below=2, after=NOW)]
    )
    found = store.runs.find([one.id for one in runs])

    assert outcomes.count(WON) + withdrawn == 30
    assert [one.id in found for one in runs] == [outcome is WON for outcome in outcomes]


def test_orders_that_come_while_the_state_changes_survive(store: Store) -> None:
    runs = [added_claimed(store) for _ in range(10)]

    def go_on(one: Run) -> list[Outcome]:
        running = started(one, NOW)
        return [*store.runs.change([running]), *store.runs.change([unreachable(running.after, "silent")])]

    orders = [lambda one=one, text=text: store.runs.order(one.id, text) for one in runs for text in ("signal 1", "signal 2")]
    results = at_once([*[lambda one=one: go_on(one) for one in runs], *orders])

    assert results == [[WON, WON]] * 10 + [True] * 20
    assert {tuple(sorted(each.orders)) for each in store.runs.live_on("node-1")} == {("signal 1", "signal 2")}


def test_an_order_is_taken_by_one(store: Store) -> None:
    one = added_running(store)
    store.runs.order(one.id, "kill")
    taken = at_once([lambda: store.runs.take_order(one, "kill") for _ in range(6)])

    assert sorted(taken) == [False] * 5 + [True]


def test_a_run_that_is_postponed_and_claimed_at_once_is_claimed(store: Store) -> None:
    """To be postponed is no change of state, so it cannot take a run from its node."""
    runs = [added(store) for _ in range(10)]
    postponing = [postponed(one, NOW + MINUTE) for one in runs]
    outcomes = _at_once(store, [[claim(one) for one in runs], postponing])

    assert outcomes[0] == [WON] * 10
    assert {one.state for one in store.runs.find([one.id for one in runs]).values()} == {RunState.CLAIMED}
    assert store.runs.due(NOW + MINUTE, node=node(), limit=10) == []


def test_what_is_planned_anew_while_the_older_plan_is_withdrawn_is_there(store: Store) -> None:
    """As by a planner that hears of a job's change before whoever has changed it has withdrawn what was planned before."""
    for number in range(30):
        older = [run(job_id=f"job-{number}", tick=NOW + minute * MINUTE) for minute in range(1, 11)]
        newer = [replace(one, job_version=2) for one in older]
        store.runs.add(older)
        at_once([lambda newer=newer: store.runs.add(newer), lambda number=number: store.runs.withdraw(f"job-{number}", below=2, after=NOW)])

        assert {one.job_version for one in store.runs.find([one.id for one in newer]).values()} == {2}
        assert len(store.runs.find([one.id for one in newer])) == 10
