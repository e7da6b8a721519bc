"""Jobs that were changed, and the versions that their canaries follow."""

from __future__ import annotations

from dataclasses import replace

from coal_mine.domain.job_ports import ChangedJob
from coal_mine.domain.periodicity import OfJob
from coal_mine.domain.ports import Store
from coal_mine.domain.times import EPOCH
from tests.stores.examples import NOW, SECOND, added
from tests.stores.job_examples import added_job, job


def test_what_is_needed_to_compare_a_job_with_its_canary_is_given(store: Store) -> None:
    one = added_job(store)

    assert store.jobs.changed((EPOCH, ""), limit=10) == [ChangedJob(id=one.id, version=1, canary_id=one.canary_id, changed_at=NOW)]


def test_the_oldest_change_comes_first_and_equal_ones_by_id(store: Store) -> None:
    for job_id, later in (("c", 1), ("b", 1), ("a", 2), ("d", 0)):
        store.jobs.add(replace(job(job_id), changed_at=NOW + later * SECOND))

    assert [one.id for one in store.jobs.changed((EPOCH, ""), limit=10)] == ["d", "b", "c", "a"]


def test_no_more_are_given_than_asked_for_and_the_next_page_goes_on_behind_them(store: Store) -> None:
    for job_id in ("a", "b", "c"):
        store.jobs.add(job(job_id))
    first = store.jobs.changed((EPOCH, ""), limit=2)
    second = store.jobs.changed((NOW, "b"), limit=2)

    assert ([one.id for one in first], [one.id for one in second]) == (["a", "b"], ["c"])


def test_the_version_that_a_canary_follows_is_that_of_its_job(store: Store) -> None:
    one = added(store, periodicity=OfJob("a", (), 60, 7))

    assert store.canaries.followed([one.id, "nonesuch"]) == {one.id: 7}


def test_a_canary_of_no_job_follows_none(store: Store) -> None:
    one = added(store)

    assert store.canaries.followed([one.id]) == {}
