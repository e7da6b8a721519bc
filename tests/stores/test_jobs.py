"""One job in the store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coal_mine.domain.definition import definition_from
from coal_mine.domain.errors import Conflict, NotFound
from coal_mine.domain.job import Definition, Job
from coal_mine.domain.job_ports import JobFilter
from coal_mine.domain.ports import Store
from tests.stores.examples import NOW, SECOND, at_once
from tests.stores.job_examples import added_job, changed_job, job

EVERYTHING = {
    "name": "Sauvegarde ⛏ \U0001f426",
    "description": "two\nlines",
    "tags": ["nightly", "éàü"],
    "labels": {"team": "b", "area": "a"},
    "enabled": False,
    "schedules": [{"cron": "*/5 * * * *", "timezone": "Europe/Paris"}, {"every": 90}],
    "pools": ["second", "first"],
    "mode": "all",
    "command": ["--level", "", "a b"],
    "script": "#!/bin/sh\nexit 1\n",
    "workdir": "/srv",
    "user": "backup",
    "group": "backup",
    "env": {"Z": "1", "A": "\t"},
    "secrets": {"TOKEN": "vault:x"},
    "parameters": [{"name": "WHEN", "default": "", "values": ["", "now"]}],
    "timeout": 0.5,
    "retries": 3,
    "overlap": "queue",
    "catch_up": "all",
    "on_lost": "rerun",
    "start_deadline": 90,
    "grace": 600,
    "priority": -3,
    "cpus": 0.25,
    "mem": 100,
    "emails": ["jo@example.com"],
    "mail_report": "error",
    "mail_to": ["al@example.com"],
}


def test_a_job_comes_back_as_it_was_added(store: Store) -> None:
    one = added_job(store)

    assert store.jobs.get(one.id) == one


def test_who_has_changed_a_job_comes_back(store: Store) -> None:
    one = replace(job(), changed_by="jo")
    store.jobs.add(one)
    other = replace(changed_job(one, priority=1), changed_by="Zoë")
    store.jobs.replace(one, other)

    assert store.jobs.get(one.id) == other


def test_every_field_of_a_definition_comes_back(store: Store) -> None:
    one = replace(job("a:b:everything"), definition=definition_from(EVERYTHING, job_id="a:b:everything", now=NOW))
    store.jobs.add(one)

    assert store.jobs.get(one.id) == one


def test_the_plainest_job_comes_back(store: Store) -> None:
    one = replace(job(), definition=Definition(name="x", command="true"), next_at=None, canary_id="")
    store.jobs.add(one)

    assert store.jobs.get(one.id) == one


def test_a_job_that_does_not_exist_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="there is no job with the id 'nosuchjob'"):
        store.jobs.get("nosuchjob")


def test_the_message_about_a_very_long_id_is_short(store: Store) -> None:
    with pytest.raises(NotFound) as caught:
        store.jobs.get("x" * 100_000)

    assert len(str(caught.value)) < 200


def test_a_second_job_with_the_same_id_is_refused(store: Store) -> None:
    one = added_job(store)

    with pytest.raises(Conflict, match=one.id):
        store.jobs.add(changed_job(one, tags=("other",)))
    assert store.jobs.get(one.id) == one
    assert store.jobs.tags() == []


def test_those_that_exist_are_found_by_id(store: Store) -> None:
    one, other, _ = added_job(store), added_job(store), added_job(store)

    assert store.jobs.find([one.id, "nosuchjob", other.id]) == {one.id: one, other.id: other}


def test_nothing_is_found_by_no_ids(store: Store) -> None:
    added_job(store)

    assert store.jobs.find([]) == {}
    assert store.jobs.versions([]) == {}


def test_versions_are_told_of_those_that_exist(store: Store) -> None:
    one, other = added_job(store), added_job(store, version=7)

    assert store.jobs.versions({one.id, "nosuchjob", other.id}) == {one.id: 1, other.id: 7}


def test_a_replaced_job_is_as_given_but_for_its_id_and_creation(store: Store) -> None:
    one = added_job(store)
    after = replace(changed_job(one, name="New", priority=5), canary_id="hgfedcba", changed_at=NOW + SECOND, next_at=None)

    assert store.jobs.replace(one, replace(after, created_at=NOW + SECOND))
    assert store.jobs.get(one.id) == after


def test_a_job_of_another_version_is_not_replaced(store: Store) -> None:
    one = added_job(store)
    newer = changed_job(one, name="Newer")
    store.jobs.replace(one, newer)

    assert not store.jobs.replace(one, changed_job(one, name="Too late"))
    assert store.jobs.get(one.id) == newer


def test_a_job_that_was_planned_meanwhile_is_replaced_all_the_same(store: Store) -> None:
    one = added_job(store)
    store.jobs.planned([(one, NOW + SECOND)])

    assert store.jobs.replace(one, changed_job(one, name="New"))


def test_replacing_a_job_that_does_not_exist_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.jobs.replace(job(), job())


def test_removing_tells_what_the_job_was(store: Store) -> None:
    one = added_job(store)
    planned = replace(one, next_at=NOW + SECOND)
    store.jobs.planned([(one, planned.next_at)])

    assert store.jobs.remove(one) == planned


def test_a_job_that_was_changed_meanwhile_is_not_removed(store: Store) -> None:
    one = added_job(store, tags=("a",))
    newer = changed_job(one, priority=1)
    store.jobs.replace(one, newer)

    assert store.jobs.remove(one) is None
    assert (store.jobs.get(one.id), store.jobs.tags()) == (newer, ["a"])


def test_what_was_decided_about_a_job_does_not_reach_another_one_that_has_its_id_now(store: Store) -> None:
    one = added_job(store)
    store.jobs.remove(one)
    other = replace(one, created_at=NOW + SECOND)
    store.jobs.add(other)

    assert (store.jobs.replace(one, changed_job(one, priority=1)), store.jobs.remove(one)) == (False, None)
    assert store.jobs.get(one.id) == other


def test_a_removed_job_is_gone(store: Store) -> None:
    one, other = added_job(store, tags=("a",), pools=("p",)), added_job(store)
    store.jobs.remove(one)

    assert store.jobs.find([one.id]) == {}
    assert store.jobs.select(JobFilter(), limit=10) == [other]
    assert store.jobs.to_plan(NOW, limit=10) == [other]
    assert store.jobs.tags() == []


def test_removing_a_job_that_does_not_exist_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.jobs.remove(job())


def test_an_id_is_free_after_its_job_was_removed(store: Store) -> None:
    one = added_job(store, tags=("a",))
    store.jobs.remove(one)
    again = added_job(store, one.id, tags=("b",))

    assert store.jobs.get(one.id) == again
    assert store.jobs.tags() == ["b"]


def test_of_two_jobs_with_one_id_at_once_one_is_added(store: Store) -> None:
    ones = [job("same", name=f"Job {number}", tags=(str(number),)) for number in range(6)]
    results = at_once([lambda one=one: store.jobs.add(one) for one in ones])
    winner = ones[results.index(None)]

    assert [type(result) for result in results].count(Conflict) == 5
    assert store.jobs.get("same") == winner
    assert store.jobs.tags() == list(winner.definition.tags)


def test_of_replacements_of_one_version_at_once_one_wins(store: Store) -> None:
    one = added_job(store)
    others = [changed_job(one, name=f"Job {number}", tags=(str(number),), pools=(f"p{number}",)) for number in range(6)]
    results = at_once([lambda other=other: store.jobs.replace(one, other) for other in others])
    winner = others[results.index(True)]

    assert results.count(False) == 5
    assert store.jobs.get(one.id) == winner
    assert store.jobs.tags() == list(winner.definition.tags)
    assert store.jobs.select(JobFilter(pool=winner.definition.pools[0]), limit=2) == [winner]


def test_of_removals_at_once_one_finds_the_job(store: Store) -> None:
    one = added_job(store)
    results = at_once([lambda: store.jobs.remove(one) for _ in range(6)])

    assert results.count(one) == 1
    assert [type(result) for result in results].count(NotFound) == 5


def test_a_replacement_and_plans_at_once_leave_the_replacement_s_next_tick(store: Store) -> None:
    """A plan that comes first is overwritten; one that comes later finds another version."""
    ones = [added_job(store) for _ in range(10)]
    afters = [replace(changed_job(one), next_at=NOW + 30 * SECOND) for one in ones]

    def plan(one: Job) -> int:
        return store.jobs.planned([(one, NOW + SECOND)])

    replacing = [lambda one=one, after=after: store.jobs.replace(one, after) for one, after in zip(ones, afters, strict=True)]
    at_once(replacing + [lambda one=one: plan(one) for one in ones])

    assert store.jobs.find([one.id for one in ones]) == {after.id: after for after in afters}
