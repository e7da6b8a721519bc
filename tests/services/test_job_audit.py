"""What the audit log says of jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from coal_mine.background.unsettled import SETTLED_AFTER
from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditKind, AuditStore
from coal_mine.domain.errors import Changed, Conflict, Invalid, StoreUnavailable
from coal_mine.domain.job import Job
from coal_mine.services.job_canaries import JobCanaries
from coal_mine.services.jobs import Jobs
from tests.support.jobs import DAY, HOUR, SECOND, Scene

CREATED, CHANGED, DELETED, _ = AuditKind
BODY = {"name": "Backup", "command": "true", "id": "backup"}


class ReadOnly:
    """An audit log that cannot be written."""

    def __init__(self, audit: AuditStore) -> None:
        self._audit = audit

    def add(self, entries: Sequence[AuditEntry]) -> None:
        raise StoreUnavailable("cut off")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._audit, name)


def cut_off(scene: Scene) -> Jobs:
    """Jobs of a process that dies when it comes to writing the audit log."""
    audit: Any = ReadOnly(scene.store.audit)
    return Jobs(scene.store, scene.clock, scene.ids, JobCanaries(scene.store, scene.ids), audit=audit)


def log(scene: Scene) -> list[AuditEntry]:
    """The oldest first."""
    return scene.store.audit.select(AuditFilter(), limit=100)[::-1]


def told(scene: Scene) -> list[tuple[AuditKind, str]]:
    """What has happened, and who has done it."""
    return [(entry.kind, entry.by) for entry in log(scene)]


def field(text: str, name: str) -> Any:
    return json.loads(text)[name]


def test_a_new_job_is_told_with_all_of_its_definition(scene: Scene) -> None:
    job = scene.jobs.create(BODY | {"env": {"TOKEN": "x"}}, by="jo").job
    (entry,) = log(scene)

    assert (entry.kind, entry.subject, entry.by, entry.at, entry.old) == (CREATED, "backup", "jo", job.created_at, "")
    assert (field(entry.new, "name"), field(entry.new, "env")) == ("Backup", {"TOKEN": "x"})


def test_a_change_is_told_with_what_was_before(scene: Scene) -> None:
    scene.jobs.create(BODY)
    at = scene.clock.move(SECOND)
    scene.jobs.patch("backup", {"command": "false"}, by="al")
    entry = log(scene)[-1]

    assert (entry.kind, entry.by, entry.at) == (CHANGED, "al", at)
    assert [field(text, "command") for text in (entry.old, entry.new)] == ["true", "false"]


def test_each_verb_tells_of_who_calls(scene: Scene) -> None:
    scene.jobs.create(BODY, by="a")
    for verb in (
        lambda: scene.jobs.replace("backup", BODY | {"priority": 1}, by="b"),
        lambda: scene.jobs.patch("backup", {"priority": 2}, by="c"),
        lambda: scene.jobs.disable("backup", by="d"),
        lambda: scene.jobs.enable("backup", by="e"),
        lambda: scene.jobs.delete("backup", by="f"),
    ):
        scene.clock.move(SECOND)
        verb()

    assert told(scene) == [(CREATED, "a"), (CHANGED, "b"), (CHANGED, "c"), (CHANGED, "d"), (CHANGED, "e"), (DELETED, "f")]


def test_a_deletion_is_told_once_with_what_the_job_was(scene: Scene) -> None:
    scene.jobs.create(BODY)
    at = scene.clock.move(SECOND)
    scene.jobs.delete("backup", by="jo")
    entry = log(scene)[-1]

    assert [kind for kind, _ in told(scene)] == [CREATED, DELETED]
    assert (entry.at, entry.subject, entry.new, field(entry.old, "enabled")) == (at, "backup", "", True)


def test_what_changes_nothing_is_not_told(scene: Scene) -> None:
    scene.jobs.create(BODY, by="jo")
    scene.jobs.replace("backup", BODY, by="al")
    scene.jobs.enable("backup", by="al")

    assert told(scene) == [(CREATED, "jo")]


class Overtaken(JobCanaries):
    """Between the change of a job and what its canary hears of that, somebody else does something, once."""

    def __init__(self, scene: Scene, *others: Callable[[], object]) -> None:
        super().__init__(scene.store, scene.ids)
        self._others = list(others)

    def follow(self, job: Job, now: datetime) -> str:
        while self._others:
            self._others.pop(0)()
        return super().follow(job, now)


def overtaken(scene: Scene, *others: Callable[[], object]) -> Jobs:
    return Jobs(scene.store, scene.clock, scene.ids, Overtaken(scene, *others))


def test_a_deletion_that_meets_another_job_of_the_id_is_told_of_that_one(scene: Scene) -> None:
    scene.jobs.create(BODY, by="a")
    others = (
        lambda: scene.clock.move(SECOND),
        lambda: scene.jobs.delete("backup", by="b"),
        lambda: scene.clock.move(SECOND),
        lambda: scene.jobs.create(BODY | {"name": "Second"}, by="c"),
        lambda: scene.clock.move(SECOND),
    )
    overtaken(scene, *others).delete("backup", by="d")
    entry = log(scene)[-1]

    assert told(scene)[-3:] == [(DELETED, "b"), (CREATED, "c"), (DELETED, "d")]
    assert field(entry.old, "name") == "Second"


def test_a_job_that_is_changed_while_it_is_deleted_is_told_as_it_was_then(scene: Scene) -> None:
    scene.jobs.create(BODY, by="a")
    others = (lambda: scene.clock.move(SECOND), lambda: scene.jobs.patch("backup", {"priority": 7, "enabled": True}, by="b"))
    overtaken(scene, *others).delete("backup", by="c")
    entry = log(scene)[-1]

    assert (entry.kind, entry.by, field(entry.old, "priority")) == (DELETED, "c", 7)


def test_what_is_refused_is_not_told(scene: Scene) -> None:
    scene.jobs.create(BODY)
    for refused, error in (
        (lambda: scene.jobs.create(BODY), Conflict),
        (lambda: scene.jobs.patch("backup", {"priority": "x"}), Invalid),
        (lambda: scene.jobs.patch("backup", {"priority": 1}, version=7), Changed),
        (lambda: scene.jobs.delete("backup", version=7), Changed),
    ):
        with pytest.raises(error):
            refused()

    assert told(scene) == [(CREATED, "")]


def test_a_dry_run_is_not_told(scene: Scene) -> None:
    scene.jobs.preview(BODY)

    assert log(scene) == []


def test_another_job_of_the_same_id_is_told_of_by_itself(scene: Scene) -> None:
    for name in ("First", "Second"):
        scene.jobs.create(BODY | {"name": name})
        scene.clock.move(SECOND)
        scene.jobs.delete("backup")
        scene.clock.move(SECOND)

    assert [field(entry.old or entry.new, "name") for entry in log(scene)] == ["First", "First", "Second", "Second"]


def test_what_a_caller_says_of_himself_is_cut_and_made_printable(scene: Scene) -> None:
    scene.jobs.create(BODY, by="jo\n\udcff\0" + "x" * 1_000)
    (entry,) = log(scene)

    assert entry.by == "jo\ufffd\ufffd\ufffd" + "x" * 250


def test_a_change_whose_entry_was_not_written_is_told_by_whoever_repeats_the_call(scene: Scene) -> None:
    scene.jobs.create(BODY, by="jo")
    at = scene.clock.move(SECOND)
    with pytest.raises(StoreUnavailable):
        cut_off(scene).patch("backup", {"command": "false"}, by="al")
    scene.clock.move(SECOND)
    scene.jobs.patch("backup", {"command": "false"}, by="somebody else")
    entry = log(scene)[-1]

    assert (entry.kind, entry.by, entry.at) == (CHANGED, "al", at)
    assert [field(text, "command") for text in (entry.old, entry.new)] == ["true", "false"]


def test_a_change_whose_entry_was_not_written_is_told_by_a_background(scene: Scene) -> None:
    scene.jobs.create(BODY, by="jo")
    scene.clock.move(SECOND)
    with pytest.raises(StoreUnavailable):
        cut_off(scene).patch("backup", {"command": "false"}, by="al")
    scene.unsettled.run_once(scene.clock.move(SETTLED_AFTER))
    entry = log(scene)[-1]

    assert (entry.kind, entry.by) == (CHANGED, "al")
    assert [field(text, "command") for text in (entry.old, entry.new)] == ["true", "false"]


def test_a_creation_whose_entry_was_not_written_is_told_by_a_background(scene: Scene) -> None:
    with pytest.raises(StoreUnavailable):
        cut_off(scene).create(BODY, by="jo")
    at = scene.now
    scene.unsettled.run_once(scene.clock.move(SETTLED_AFTER))

    assert [(entry.kind, entry.by, entry.at) for entry in log(scene)] == [(CREATED, "jo", at)]


def test_a_job_that_is_changed_while_it_is_created_is_told_of_both_once(scene: Scene) -> None:
    others = (lambda: scene.clock.move(SECOND), lambda: scene.jobs.patch("backup", {"emails": ["al@example.com"]}, by="al"))
    overtaken(scene, *others).create(BODY, by="jo")

    assert told(scene) == [(CREATED, "jo"), (CHANGED, "al")]
    assert scene.canary_of(scene.store.jobs.get("backup")).emails == ("al@example.com",)


def test_a_creation_whose_entry_was_not_written_is_told_with_the_next_change(scene: Scene) -> None:
    with pytest.raises(StoreUnavailable):
        cut_off(scene).create(BODY, by="jo")
    scene.clock.move(SECOND)
    scene.jobs.patch("backup", {"priority": 1}, by="al")

    assert told(scene) == [(CREATED, "jo"), (CHANGED, "al")]


def test_a_creation_whose_entry_was_not_written_is_told_with_the_deletion(scene: Scene) -> None:
    with pytest.raises(StoreUnavailable):
        cut_off(scene).create(BODY, by="jo")
    scene.clock.move(SECOND)
    scene.jobs.delete("backup", by="al")

    assert told(scene) == [(CREATED, "jo"), (DELETED, "al")]


class LastBreath(JobCanaries):
    """Of a process that dies when a canary follows its job."""

    def follow(self, job: Job, now: datetime) -> str:
        super().follow(job, now)
        raise StoreUnavailable("cut off")


def test_a_deletion_that_was_cut_short_is_told_as_the_change_that_it_is(scene: Scene) -> None:
    scene.jobs.create(BODY, by="jo")
    scene.clock.move(SECOND)
    with pytest.raises(StoreUnavailable):
        Jobs(scene.store, scene.clock, scene.ids, LastBreath(scene.store, scene.ids)).delete("backup", by="di")
    scene.clock.move(SECOND)
    scene.jobs.patch("backup", {"priority": 1}, by="al")

    assert told(scene) == [(CREATED, "jo"), (CHANGED, "di"), (CHANGED, "al")]
    assert [field(entry.new, "enabled") for entry in log(scene)] == [True, False, False]


def test_a_change_whose_entry_was_not_written_is_told_with_the_next_one(scene: Scene) -> None:
    scene.jobs.create(BODY, by="jo")
    scene.clock.move(SECOND)
    with pytest.raises(StoreUnavailable):
        cut_off(scene).patch("backup", {"priority": 1}, by="al")
    scene.clock.move(SECOND)
    scene.jobs.patch("backup", {"priority": 2}, by="di")

    assert told(scene) == [(CREATED, "jo"), (CHANGED, "al"), (CHANGED, "di")]
    assert [field(entry.old, "priority") for entry in log(scene)[1:]] == [0, 1]


def test_repeating_tells_nothing_twice(scene: Scene) -> None:
    scene.jobs.create(BODY, by="jo")
    scene.clock.move(SECOND)
    scene.jobs.patch("backup", {"priority": 1}, by="al")
    before = log(scene)
    scene.clock.move(SECOND)
    scene.jobs.settle("backup")
    scene.jobs.patch("backup", {"priority": 1}, by="somebody else")

    assert log(scene) == before


def test_a_change_of_long_ago_is_not_told_anew(scene: Scene) -> None:
    """As of a job that was changed before there was an audit log, or whose entries are forgotten."""
    job = scene.jobs.create(BODY).job
    scene.store.jobs.replace(job, replace(job, version=2))
    scene.store.audit.forget(scene.now + HOUR, limit=100)
    scene.clock.move(DAY + timedelta(milliseconds=1))
    scene.jobs.enable("backup")

    assert log(scene) == []


def test_entries_are_forgotten_when_they_are_as_old_as_runs_may_be(scene: Scene) -> None:
    scene.jobs.create(BODY)
    scene.clock.move(20 * DAY)
    scene.jobs.patch("backup", {"priority": 1})
    scene.sweeper.run_once(scene.clock.move(11 * DAY))

    assert told(scene) == [(CHANGED, "")]
