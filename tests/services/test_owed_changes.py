"""Documents of changes whose process died, or lost the store, after the entry in the audit log and before it owed them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from coal_mine.background.unsettled import SETTLED_AFTER, UnsettledJobs
from coal_mine.domain.alert import Kind
from coal_mine.domain.audit import AuditEntry, AuditFilter
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.services.job_canaries import JobCanaries
from coal_mine.services.jobs import Jobs
from coal_mine.services.owed_documents import OwedDocuments, OwingAudit
from tests.support.jobs import SECOND, Scene

BODY = {"name": "Backup", "command": "true", "id": "backup"}


class CutOff(OwedDocuments):
    """Of a process that dies when it comes to the outbox."""

    def of_entries(self, entries: Sequence[AuditEntry]) -> None:
        raise StoreUnavailable("cut off")


def owing(scene: Scene, owed: OwedDocuments | None = None) -> Jobs:
    audit = OwingAudit(scene.store.audit, owed or OwedDocuments(scene.store, scene.clock, is_sure=True))
    return Jobs(scene.store, scene.clock, scene.ids, JobCanaries(scene.store, scene.ids), audit=audit)


def cut_off(scene: Scene) -> Jobs:
    return owing(scene, CutOff(scene.store, scene.clock))


def owed_for(scene: Scene) -> list[str]:
    """The ids of the entries, the oldest first."""
    return [found.alert.event for found in scene.store.outbox.deliveries(limit=10)[::-1] if found.alert.kind is Kind.AUDITED]


def entries(scene: Scene) -> list[str]:
    """The ids, the oldest first."""
    return [entry.id for entry in scene.store.audit.select(AuditFilter(), limit=10)[::-1]]


def patched_in_vain(scene: Scene) -> None:
    owing(scene).create(BODY)
    scene.clock.move(SECOND)
    with pytest.raises(StoreUnavailable):
        cut_off(scene).patch("backup", {"priority": 1})
    scene.clock.move(SECOND)


def test_a_change_that_owes_no_document_yet_owes_it_when_the_call_is_repeated(scene: Scene) -> None:
    patched_in_vain(scene)
    owing(scene).patch("backup", {"priority": 1})

    assert (len(owed_for(scene)), owed_for(scene)) == (2, entries(scene))


def test_a_change_that_owes_no_document_yet_owes_it_when_a_background_settles_it(scene: Scene) -> None:
    patched_in_vain(scene)
    UnsettledJobs(scene.store, owing(scene).settle).run_once(scene.clock.move(SETTLED_AFTER))

    assert (len(owed_for(scene)), owed_for(scene)) == (2, entries(scene))


def test_a_change_that_owes_no_document_yet_owes_it_with_the_next_change(scene: Scene) -> None:
    patched_in_vain(scene)
    owing(scene).patch("backup", {"priority": 2})

    assert (len(owed_for(scene)), owed_for(scene)) == (3, entries(scene))


def test_a_change_that_owes_no_document_yet_owes_it_with_the_deletion(scene: Scene) -> None:
    patched_in_vain(scene)
    owing(scene).delete("backup")

    assert (len(owed_for(scene)), owed_for(scene)) == (3, entries(scene))


def test_a_creation_that_owes_no_document_yet_owes_it_when_a_background_settles_it(scene: Scene) -> None:
    with pytest.raises(StoreUnavailable):
        cut_off(scene).create(BODY)
    UnsettledJobs(scene.store, owing(scene).settle).run_once(scene.clock.move(SETTLED_AFTER))

    assert (len(owed_for(scene)), owed_for(scene)) == (1, entries(scene))


class Counting(OwedDocuments):
    """Keeps what it was told to owe."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.store, scene.clock, is_sure=True)
        self.told: list[str] = []

    def of_entries(self, entries: Sequence[AuditEntry]) -> None:
        self.told.extend(entry.id for entry in entries)
        super().of_entries(entries)


def test_a_call_that_changes_nothing_owes_no_document_anew(scene: Scene) -> None:
    owing(scene).create(BODY)
    counting = Counting(scene)
    scene.clock.move(SECOND)
    owing(scene, counting).patch("backup", {})

    assert counting.told == []


def test_each_change_of_a_job_is_owed_once(scene: Scene) -> None:
    counting = Counting(scene)
    jobs = owing(scene, counting)
    jobs.create(BODY)
    for number in range(1, 3):
        scene.clock.move(SECOND)
        jobs.patch("backup", {"priority": number})
    scene.clock.move(SECOND)
    jobs.delete("backup")

    assert (len(counting.told), counting.told) == (4, entries(scene))
