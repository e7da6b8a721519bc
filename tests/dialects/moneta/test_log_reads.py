"""A page of Moneta's audit log takes memory for what is on it, not for what stands above it."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coal_mine.domain.audit import AuditEntry, AuditKind
from coal_mine.domain.definition import definition_as_text
from coal_mine.domain.job import Definition
from coal_mine.web.dialects.moneta.log import LogPage, LogQuery, MonetaLog
from coal_mine.web.dialects.moneta.shown import TaskView
from tests.support.jobs import DAY, HOUR, SECOND, Scene, scene_in
from tests.support.scenes import scene_on

NUMBER = 300
LONG = "#" * 60_000
# So many of them are as much as would not be noticed here.
FEW_BYTES = 8_000_000


@pytest.fixture(params=["sqlite", "mongo"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path) if request.param == "sqlite" else scene_on(request.getfixturevalue("mongod")) as one:
        yield one


def read(scene: Scene, **wanted: Any) -> LogPage:
    log = MonetaLog(scene.store, lambda job_id, definition: {"id": job_id, "name": definition.name, "command": definition.command})
    return log.read(LogQuery(since=scene.now - DAY, until=scene.now + SECOND, **wanted))


def text(number: int) -> str:
    return definition_as_text(Definition(name=f"Name {number}", command=LONG))


def change(scene: Scene) -> None:
    """A job with a long script, again and again."""
    scene.store.audit.add(
        [
            AuditEntry(
                id=f"{number:04}", at=scene.now - number * SECOND, kind=AuditKind.CHANGED, subject="backup", by="jo", old=text(number + 1),
                new=text(number),
            )
            for number in range(NUMBER)
        ]
    )  # fmt: skip


def run_often(scene: Scene) -> None:
    job = scene.job(command=LONG)
    one = scene.end(scene.next_run(job))
    scene.clock.move(HOUR)
    scene.store.runs.add(
        [replace(one, id=f"{place:04}", tick=one.tick + place * SECOND, ended_at=one.tick + place * SECOND) for place in range(1, NUMBER)]
    )


def peak(scene: Scene, **wanted: Any) -> tuple[int, LogPage]:
    """The bytes that were held at once, and what for."""
    tracemalloc.start()
    try:
        page = read(scene, **wanted)
        return tracemalloc.get_traced_memory()[1], page
    finally:
        tracemalloc.stop()


def test_of_changes_far_back_only_those_on_the_page_are_held(scene: Scene) -> None:
    change(scene)
    held, page = peak(scene, offset=NUMBER - 5, limit=10)

    assert [record["config"]["name"] for record in page.records] == [f"Name {number}" for number in range(NUMBER - 5, NUMBER)]
    assert held < FEW_BYTES


@pytest.mark.parametrize("kind", ["moneta-task-execution", "moneta-task-report"])
def test_of_runs_far_back_only_those_on_the_page_are_held(scene: Scene, kind: str) -> None:
    run_often(scene)
    held, page = peak(scene, types=frozenset({kind}), offset=NUMBER - 5, limit=10)

    assert [record["run"] for record in page.records[:4]] == ["0004", "0003", "0002", "0001"]
    assert held < FEW_BYTES


def test_executions_on_a_long_page_are_held_without_their_tasks(scene: Scene) -> None:
    run_often(scene)
    held, page = peak(scene, types=frozenset({"moneta-task-execution"}), limit=NUMBER)

    assert len(page.records) == NUMBER
    assert held < FEW_BYTES


def test_of_too_many_long_changes_on_a_page_the_newest_have_their_tasks(scene: Scene) -> None:
    change(scene)
    page = read(scene, limit=NUMBER)
    known = [record["config"] is not None for record in page.records]

    assert len(known) == NUMBER
    assert known == sorted(known, reverse=True)
    assert 50 < sum(known) < 100


def test_of_changes_that_were_read_nothing_is_kept(scene: Scene) -> None:
    """Each tells of another task, and is seldom asked for again."""
    scene.store.audit.add(
        [
            AuditEntry(
                id=f"{number:04}", at=scene.now - number * SECOND, kind=AuditKind.CREATED, subject=f"t{number}", by="", new=text(number)
            )
            for number in range(NUMBER)
        ]
    )
    log = MonetaLog(scene.store, TaskView("UTC").task)
    tracemalloc.start()
    try:
        for offset in range(0, NUMBER, 50):
            log.read(LogQuery(since=scene.now - DAY, until=scene.now + SECOND, offset=offset, limit=50))
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert kept < FEW_BYTES
