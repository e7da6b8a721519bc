"""Lists of jobs."""

from __future__ import annotations

import pytest

from coal_mine.domain.job_ports import JobFilter
from coal_mine.domain.ports import Store
from tests.stores.job_examples import added_job, changed_job

# As their bytes say, in this order.
IDS = ["A", "B:z", "a", "a-b", "a:b", "a:b:c", "a:b:d:e", "a:bc", "a;", "aa", "b", "é", "\uffee", "\U0001f426"]


def ids(store: Store, wanted: JobFilter, after: str = "", limit: int = 100) -> list[str]:
    return [one.id for one in store.jobs.select(wanted, after=after, limit=limit)]


@pytest.fixture
def jobs(store: Store) -> None:
    for job_id in reversed(IDS):
        added_job(store, job_id)


@pytest.fixture
def four(store: Store) -> None:
    added_job(store, "1", name="same", tags=("red", "blue"), pools=("default", "big"))
    added_job(store, "2", name="same", tags=("red",), enabled=False)
    added_job(store, "3", name="Same", tags=("blue",), pools=("big",))
    added_job(store, "4", name="red", pools=("red",), enabled=False)


@pytest.mark.usefixtures("jobs")
def test_jobs_are_listed_in_the_order_of_the_bytes_of_their_ids(store: Store) -> None:
    assert ids(store, JobFilter()) == IDS


@pytest.mark.usefixtures("jobs")
def test_a_list_is_read_page_by_page(store: Store) -> None:
    pages = [ids(store, JobFilter(), after=after, limit=5) for after in ("", IDS[4], IDS[9], IDS[13])]

    assert pages == [IDS[:5], IDS[5:10], IDS[10:], []]


@pytest.mark.usefixtures("jobs")
def test_a_page_may_begin_behind_an_id_that_does_not_exist(store: Store) -> None:
    assert ids(store, JobFilter(), after="a:b:c:", limit=2) == ["a:b:d:e", "a:bc"]


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize(
    ("namespace", "found"),
    [
        ((), IDS),
        (("a",), ["a:b", "a:b:c", "a:b:d:e", "a:bc"]),
        (("a", "b"), ["a:b:c", "a:b:d:e"]),
        (("a", "b", "d"), ["a:b:d:e"]),
        (("b",), []),
    ],
)
def test_a_namespace_holds_its_jobs_and_all_below_it(store: Store, namespace: tuple[str, ...], found: list[str]) -> None:
    wanted = JobFilter(namespace=namespace)

    assert ids(store, wanted) == found
    assert store.jobs.count(wanted) == len(found)


@pytest.mark.usefixtures("jobs")
def test_a_namespace_is_read_page_by_page(store: Store) -> None:
    assert ids(store, JobFilter(namespace=("a",)), after="a:b", limit=2) == ["a:b:c", "a:b:d:e"]


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (JobFilter(), ["1", "2", "3", "4"]),
        (JobFilter(tag="red"), ["1", "2"]),
        (JobFilter(tag="big"), []),
        (JobFilter(pool="big"), ["1", "3"]),
        (JobFilter(pool="red"), ["4"]),
        (JobFilter(enabled=True), ["1", "3"]),
        (JobFilter(enabled=False), ["2", "4"]),
        (JobFilter(name="same"), ["1", "2"]),
        (JobFilter(name="sam"), []),
        (JobFilter(tag="red", pool="default", enabled=True, name="same", namespace=()), ["1"]),
        (JobFilter(tag="blue", enabled=False), []),
    ],
)
def test_only_jobs_to_which_the_whole_filter_applies_are_listed(store: Store, wanted: JobFilter, found: list[str]) -> None:
    assert ids(store, wanted) == found
    assert store.jobs.count(wanted) == len(found)


@pytest.mark.usefixtures("four")
def test_a_filtered_list_is_read_page_by_page(store: Store) -> None:
    assert ids(store, JobFilter(tag="red"), limit=1) == ["1"]
    assert ids(store, JobFilter(tag="red"), after="1", limit=1) == ["2"]


@pytest.mark.usefixtures("four")
def test_each_tag_of_all_jobs_is_named_once(store: Store) -> None:
    assert store.jobs.tags() == ["blue", "red"]


def test_a_replaced_job_is_found_by_what_it_says_now(store: Store) -> None:
    before = added_job(store, tags=("old", "both"), pools=("old",), name="old")
    after = changed_job(before, tags=("both", "new"), pools=("new",), name="new", enabled=False)
    store.jobs.replace(before, after)
    filters = [JobFilter(tag=tag) for tag in ("old", "both", "new")] + [JobFilter(pool="old"), JobFilter(pool="new")]
    filters += [JobFilter(name="old"), JobFilter(name="new"), JobFilter(enabled=True), JobFilter(enabled=False)]

    assert [store.jobs.count(wanted) for wanted in filters] == [0, 1, 1, 0, 1, 0, 1, 0, 1]
    assert store.jobs.tags() == ["both", "new"]


def test_an_empty_store_lists_nothing(store: Store) -> None:
    assert store.jobs.select(JobFilter(), limit=10) == []
    assert store.jobs.count(JobFilter()) == 0
    assert store.jobs.tags() == []
