"""The audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditKind
from coal_mine.domain.key import Key
from coal_mine.domain.ports import Store
from tests.stores.examples import HOUR, MILLISECOND, NOW, SECOND, at_once

CREATED, CHANGED, DELETED, OPTION = AuditKind
ALL = AuditFilter()


def entry(name: str, at: datetime = NOW, **values: Any) -> AuditEntry:
    plain = {"kind": CHANGED, "subject": "backup", "by": "jo", "old": '{"a":1}', "new": '{"a":2}'}
    return AuditEntry(id=name, at=at, **(plain | values))


def added(store: Store, *entries: AuditEntry) -> None:
    store.audit.add(entries)


def found(store: Store, wanted: AuditFilter = ALL, *, limit: int = 100) -> str:
    """The names of what is listed."""
    return " ".join(one.id for one in store.audit.select(wanted, limit=limit))


def test_an_entry_comes_back_as_it_was_added(store: Store) -> None:
    one = entry("a:b|1|2", kind=CREATED, subject="a:b", by="Zoë ⛏", old="", new='{"name":"\\ud83d\\ude00 \\u0000 \'\\""}')
    added(store, one)

    assert store.audit.select(ALL, limit=1) == [one]


def test_at_first_the_log_is_empty(store: Store) -> None:
    assert (store.audit.select(ALL, limit=10), store.audit.keys(ALL, limit=10)) == ([], [])


def test_adding_nothing_adds_nothing(store: Store) -> None:
    added(store)

    assert found(store) == ""


def test_an_entry_that_is_there_stays_as_it_is(store: Store) -> None:
    one = entry("a")
    added(store, one)
    added(store, entry("a", by="al", new="null"), entry("b"))

    assert store.audit.select(AuditFilter(), limit=10) == [entry("b"), one]


def test_the_newest_come_first_and_those_of_one_time_by_id(store: Store) -> None:
    added(store, entry("b"), entry("c", NOW - SECOND), entry("a"), entry("d", NOW + MILLISECOND))

    assert found(store) == "d b a c"


def test_a_page_of_nothing_is_empty(store: Store) -> None:
    added(store, entry("a"))

    assert found(store, limit=0) == ""


def test_a_time_range_includes_its_beginning_and_not_its_end(store: Store) -> None:
    added(store, *(entry(name, NOW + place * SECOND) for place, name in enumerate("abcd")))

    assert found(store, AuditFilter(since=NOW + SECOND, until=NOW + 3 * SECOND)) == "c b"


def test_time_and_subject_are_filtered_together(store: Store) -> None:
    added(store, entry("a"), entry("b", NOW + SECOND), entry("c", NOW + SECOND, subject="other"))

    assert found(store, AuditFilter(subject="backup")) == "b a"
    assert found(store, AuditFilter(subject="backup", since=NOW + SECOND)) == "b"


def test_keys_are_those_of_the_list(store: Store) -> None:
    added(store, *(entry(name, NOW + place // 2 * SECOND, kind=(CHANGED, OPTION)[place % 3 == 0]) for place, name in enumerate("cdabef")))
    filters = [ALL, AuditFilter(subject="backup", since=NOW + SECOND)]

    for wanted in filters:
        for limit in range(7):
            listed = store.audit.select(wanted, limit=limit)

            assert store.audit.keys(wanted, limit=limit) == [Key(at=one.at, id=one.id, about=one.subject, what=one.kind) for one in listed]


def test_entries_are_found_by_their_ids(store: Store) -> None:
    ones = [entry(name, new=f'"{name}"') for name in "abc"]
    added(store, *ones)

    assert store.audit.find(["c", "nosuch", "a"]) == {"a": ones[0], "c": ones[2]}
    assert store.audit.find([]) == {}


def test_old_entries_are_forgotten_the_oldest_first(store: Store) -> None:
    added(store, *(entry(name, NOW + place * HOUR) for place, name in enumerate("abcd")))
    numbers = [store.audit.forget(NOW + 3 * HOUR, limit=2), store.audit.forget(NOW + 3 * HOUR, limit=2)]

    assert (numbers, found(store)) == ([2, 1], "d")


def test_one_page_of_old_entries_leaves_the_newer_ones(store: Store) -> None:
    added(store, *(entry(name, NOW - place * HOUR) for place, name in enumerate("abcd")))
    store.audit.forget(NOW, limit=2)

    assert found(store) == "a b"


def test_forgetting_none_of_them_forgets_none(store: Store) -> None:
    added(store, entry("a"))

    assert (store.audit.forget(NOW + HOUR, limit=0), found(store)) == (0, "a")


def test_of_two_who_add_the_same_entry_at_once_one_is_kept(store: Store) -> None:
    ones = [entry("a", by=f"user {number}") for number in range(6)]
    at_once([lambda one=one: added(store, one, entry(f"beside {one.by}")) for one in ones])
    kept = store.audit.select(AuditFilter(), limit=10)

    assert kept[-1] in ones
    assert [one.id for one in kept[:-1]] == [f"beside user {number}" for number in reversed(range(6))]


def test_several_who_forget_at_once_forget_each_entry_once(store: Store) -> None:
    added(store, *(entry(f"{number:03}", NOW + number * SECOND) for number in range(20)))
    numbers = at_once([lambda: store.audit.forget(NOW + 10 * SECOND, limit=100)] * 4)

    assert (sum(numbers), len(store.audit.select(ALL, limit=100))) == (10, 10)


def test_many_long_entries_are_added_at_once(store: Store) -> None:
    added(store, *(entry(f"{number:02}", new='"' + "x" * 1_000_000 + '"') for number in range(20)))

    assert len(store.audit.keys(ALL, limit=100)) == 20
