"""Jobs that have ticks to plan."""

from __future__ import annotations

from dataclasses import replace

from coal_mine.domain.ports import Store
from tests.stores.examples import HOUR, MILLISECOND, NOW, SECOND, at_once
from tests.stores.job_examples import added_job, changed_job, job


def test_jobs_are_to_plan_from_their_next_tick_on(store: Store) -> None:
    one = added_job(store)

    assert store.jobs.to_plan(NOW - MILLISECOND, limit=10) == []
    assert store.jobs.to_plan(NOW, limit=10) == [one]


def test_the_earliest_come_first_and_no_more_than_asked_for(store: Store) -> None:
    late, early, middle = (added_job(store, next_at=NOW + number * SECOND) for number in (3, 1, 2))

    assert store.jobs.to_plan(NOW + HOUR, limit=2) == [early, middle]
    assert store.jobs.to_plan(NOW + HOUR, limit=3) == [early, middle, late]


def test_a_job_without_a_next_tick_is_never_to_plan(store: Store) -> None:
    added_job(store, next_at=None)

    assert store.jobs.to_plan(NOW + HOUR, limit=10) == []


def test_a_job_that_cannot_be_read_does_not_keep_others_from_being_planned(store: Store) -> None:
    added_job(store, cpus=-1)
    other = added_job(store)

    assert store.jobs.to_plan(NOW, limit=10) == [other]


def test_planning_moves_the_next_tick_and_nothing_else(store: Store) -> None:
    one, other = added_job(store), added_job(store)

    assert store.jobs.planned([(one, NOW + SECOND)]) == 1
    assert store.jobs.get(one.id) == replace(one, next_at=NOW + SECOND)
    assert store.jobs.to_plan(NOW, limit=10) == [other]


def test_many_are_moved_by_one_call(store: Store) -> None:
    ones = [added_job(store) for _ in range(20)]

    assert store.jobs.planned([(one, NOW + number * SECOND) for number, one in enumerate(ones, start=1)]) == 20
    assert [one.next_at for one in store.jobs.to_plan(NOW + HOUR, limit=100)] == [NOW + number * SECOND for number in range(1, 21)]


def test_a_job_may_have_no_further_tick(store: Store) -> None:
    one = added_job(store)

    assert store.jobs.planned([(one, None)]) == 1
    assert store.jobs.get(one.id).next_at is None


def test_a_job_gets_a_tick_after_it_had_none(store: Store) -> None:
    one = added_job(store, next_at=None)

    assert store.jobs.planned([(one, NOW)]) == 1
    assert store.jobs.get(one.id).next_at == NOW


def test_a_job_that_was_changed_meanwhile_is_not_moved(store: Store) -> None:
    one = added_job(store)
    after = changed_job(one, name="New")
    store.jobs.replace(one, after)

    assert store.jobs.planned([(one, NOW + SECOND)]) == 0
    assert store.jobs.get(one.id) == after


def test_a_job_that_another_planner_has_moved_is_not_moved_again(store: Store) -> None:
    one = added_job(store)
    store.jobs.planned([(one, NOW + SECOND)])

    assert store.jobs.planned([(one, NOW + HOUR)]) == 0
    assert store.jobs.get(one.id).next_at == NOW + SECOND


def test_one_that_is_not_moved_does_not_keep_the_others_from_it(store: Store) -> None:
    one, other = added_job(store), added_job(store)

    assert store.jobs.planned([(job(), NOW + SECOND), (replace(one, version=2), NOW + SECOND), (other, NOW + SECOND)]) == 1
    assert store.jobs.get(other.id).next_at == NOW + SECOND


def test_nothing_planned_moves_nothing(store: Store) -> None:
    assert store.jobs.planned([]) == 0


def test_of_planners_at_once_each_job_is_moved_by_one(store: Store) -> None:
    ones = [added_job(store) for _ in range(20)]
    plans = [[(one, NOW + number * SECOND) for one in ones] for number in range(1, 7)]
    moved = at_once([lambda plan=plan: store.jobs.planned(plan) for plan in plans])

    assert sum(moved) == 20
