"""For what Elasticsearch is owed documents, and as long as what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from coal_mine.domain.alert import Kind
from coal_mine.domain.audit import AuditEntry, AuditKind
from coal_mine.domain.errors import NotFound
from coal_mine.domain.run import Run, RunState
from coal_mine.services.options import Options
from coal_mine.services.outcomes import Outcomes
from coal_mine.services.owed_documents import WANTED_FOR, WANTED_UNTIL, OwedDocuments
from tests.stores.run_examples import run as example_run
from tests.support.jobs import SECOND, Scene


@pytest.fixture
def owed(scene: Scene) -> OwedDocuments:
    """Of a server that has just started."""
    return OwedDocuments(scene.store, scene.clock)


def want(scene: Scene) -> None:
    """Another process, which knows of Elasticsearch, says so."""
    OwedDocuments(scene.store, scene.clock).want()


def ended(scene: Scene) -> Run:
    return example_run(state=RunState.DONE, attempt=1, epoch=1, started_at=scene.now, ended_at=scene.now)


def entry(scene: Scene, kind: AuditKind) -> AuditEntry:
    return AuditEntry(id=f"entry-{kind}", at=scene.now, kind=kind, subject="backup", by="jo", new="{}")


def kinds(scene: Scene) -> list[Kind]:
    return [delivery.alert.kind for delivery in scene.store.outbox.deliveries(limit=10)]


def test_nothing_is_owed_as_long_as_nobody_wants_it(scene: Scene, owed: OwedDocuments) -> None:
    owed.of_runs([ended(scene)])
    owed.of_entries([entry(scene, AuditKind.CREATED)])

    assert kinds(scene) == []


def test_all_owe_as_soon_as_any_process_wants_it(scene: Scene, owed: OwedDocuments) -> None:
    want(scene)
    owed.of_runs([ended(scene)])

    assert kinds(scene) == [Kind.ENDED]


def test_who_knows_where_elasticsearch_is_owes_without_being_asked(scene: Scene) -> None:
    OwedDocuments(scene.store, scene.clock, is_sure=True).of_runs([ended(scene)])

    assert kinds(scene) == [Kind.ENDED]


def test_who_wants_it_owes_at_once(scene: Scene, owed: OwedDocuments) -> None:
    owed.of_runs([ended(scene)])
    owed.want()
    owed.of_runs([ended(scene)])

    assert kinds(scene) == [Kind.ENDED]


@pytest.mark.parametrize(("passed", "expected"), [(WANTED_FOR - SECOND, [Kind.ENDED]), (WANTED_FOR, [])])
def test_a_week_after_it_was_wanted_for_the_last_time_nothing_is_owed(
    scene: Scene, owed: OwedDocuments, passed: timedelta, expected: list[Kind]
) -> None:
    want(scene)
    scene.clock.move(passed)
    owed.of_runs([ended(scene)])

    assert kinds(scene) == expected


def test_no_option_of_a_client_can_say_that_documents_are_wanted(scene: Scene) -> None:
    with pytest.raises(NotFound):
        Options(scene.store, scene.clock).set(WANTED_UNTIL, 1)


def test_a_run_that_has_not_ended_owes_nothing(scene: Scene, owed: OwedDocuments) -> None:
    want(scene)
    unreachable = replace(ended(scene), state=RunState.UNREACHABLE)
    owed.of_runs([example_run(), unreachable])

    assert kinds(scene) == []


def test_a_run_that_is_told_twice_owes_once(scene: Scene, owed: OwedDocuments) -> None:
    want(scene)
    run = ended(scene)
    owed.of_runs([run])
    owed.of_runs([run])

    assert kinds(scene) == [Kind.ENDED]


@pytest.mark.parametrize("kind", [AuditKind.CREATED, AuditKind.CHANGED, AuditKind.DELETED])
def test_a_change_of_a_job_is_owed(scene: Scene, owed: OwedDocuments, kind: AuditKind) -> None:
    want(scene)
    owed.of_entries([entry(scene, kind)])

    assert kinds(scene) == [Kind.AUDITED]


def test_a_change_of_an_option_is_no_document(scene: Scene, owed: OwedDocuments) -> None:
    want(scene)
    owed.of_entries([entry(scene, AuditKind.OPTION)])

    assert kinds(scene) == []


def test_what_is_owed_is_in_the_outbox_before_it_is_noted_that_the_run_was_told(scene: Scene) -> None:
    """Or a process that dies in between would leave a run without documents."""
    noted: list[bool] = []
    outcomes = Outcomes(
        scene.store, alert_owed=lambda: None, owe_documents=lambda runs: noted.extend(not scene.get(run).owed for run in runs)
    )
    run = scene.end(scene.next_run(scene.job()))
    outcomes.tell([run])

    assert (noted, scene.get(run).owed) == ([False], False)
