"""Moneta's audit log, merged from changes, executions and reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import Definition, Job
from coal_mine.domain.output import Chunk, Frame, Stream
from coal_mine.domain.run import Run, RunState, missed
from coal_mine.web.dialects.moneta.log import MOST, LogPage, LogQuery, MonetaLog
from tests.support.jobs import DAY, HOUR, MINUTE, SECOND, Scene


def as_task(job_id: str, definition: Definition) -> dict[str, Any]:
    return {"id": job_id, "name": definition.name}


def read(scene: Scene, **wanted: Any) -> LogPage:
    """Of the last day, unless said otherwise."""
    times = {"since": scene.now - DAY, "until": scene.now + SECOND}
    return MonetaLog(scene.store, as_task).read(LogQuery(**(times | wanted)))


def told(page: LogPage) -> list[tuple[str, str]]:
    """Type and level of each record."""
    return [(record["event_type"].removeprefix("moneta-task-"), record["@level"]) for record in page.records]


def run_for(scene: Scene, job: Job, seconds: int, **result: Any) -> Run:
    run = scene.start(scene.next_run(job))
    scene.clock.move(seconds * SECOND)
    return scene.end(run, **result)


@pytest.fixture
def job(scene: Scene) -> Job:
    """It has run well, has failed, and was not started, minute by minute; then it was renamed."""
    job = scene.job()
    run_for(scene, job, 2)
    run_for(scene, job, 2, exit_code=1)
    scene.write(missed(scene.next_run(job), "nobody was there", scene.now))
    scene.clock.move(SECOND)
    scene.jobs.patch(job.id, {"name": "Other"}, by="jo")
    return job


ALL = [
    ("updated", "info"),
    ("execution", "alert"),
    ("report", "alert"),
    ("execution", "success"),
    ("report", "success"),
    ("execution", "success"),
    ("created", "info"),
]


@pytest.mark.usefixtures("job")
def test_all_that_has_happened_is_told_the_newest_first(scene: Scene) -> None:
    page = read(scene)

    assert told(page) == ALL
    assert [record["@timestamp"] for record in page.records] == sorted((record["@timestamp"] for record in page.records), reverse=True)


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_together_are_the_log(scene: Scene, limit: int) -> None:
    pages = [read(scene, offset=offset, limit=limit) for offset in range(0, len(ALL), limit)]

    assert [each for page in pages for each in told(page)] == ALL
    assert {page.count for page in pages} == {len(ALL)}


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_pages_of_reports_that_ended_together_tell_each_once(scene: Scene, limit: int) -> None:
    """As of all runs of a node that is gone."""
    one = scene.end(scene.next_run(scene.job()))
    names = ["d", "b", "f", "a", "c", "e"]
    scene.store.runs.add([replace(one, id=name, tick=one.tick - HOUR) for name in names])
    reports = frozenset({"moneta-task-report"})
    pages = [read(scene, types=reports, offset=offset, limit=limit) for offset in range(0, 8, limit)]

    assert sorted(record["run"] for page in pages for record in page.records) == sorted([one.id, *names])


@pytest.mark.usefixtures("job")
def test_jobs_that_no_path_of_moneta_names_are_not_in_its_log(scene: Scene) -> None:
    run_for(scene, scene.job(namespace="spinup/space"), 2)
    scene.write(missed(scene.next_run(scene.job(id="an-id")), "nobody was there", scene.now))
    page = read(scene)

    assert (told(page), page.count, sum(page.levels.values()), sum(page.types.values())) == (ALL, len(ALL), len(ALL), len(ALL))


@pytest.mark.usefixtures("job")
def test_behind_the_end_of_the_log_there_is_nothing(scene: Scene) -> None:
    assert read(scene, offset=len(ALL)).records == []


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize(
    "wanted",
    [
        {"types": frozenset({"moneta-task-report"})},
        {"types": frozenset({"moneta-task-execution"})},
        {"types": frozenset({"moneta-task-created", "moneta-task-deleted"})},
        {"levels": frozenset({"alert"})},
        {"levels": frozenset({"success"})},
        {"levels": frozenset({"info"})},
        {"levels": frozenset({"alert", "info"})},
        {"types": frozenset({"moneta-task-execution", "moneta-task-report"}), "levels": frozenset({"alert"})},
        {"types": frozenset({"moneta-task-report"}), "levels": frozenset({"info"})},
        {"types": frozenset(), "levels": frozenset({"info"})},
        {"levels": frozenset({"nosuchlevel"})},
    ],
)
def test_types_and_levels_choose_what_is_told_and_counted(scene: Scene, wanted: dict[str, frozenset[str]]) -> None:
    types, levels = wanted.get("types"), wanted.get("levels")
    chosen = [
        (kind, level) for kind, level in ALL if (types is None or f"moneta-task-{kind}" in types) and (levels is None or level in levels)
    ]
    page = read(scene, **wanted)

    assert told(page) == chosen
    assert page.count == len(chosen)


@pytest.mark.usefixtures("job")
def test_levels_and_types_are_counted_whatever_was_chosen(scene: Scene) -> None:
    page = read(scene, types=frozenset(), levels=frozenset(), limit=1)

    assert page.levels == {"alert": 2, "info": 2, "success": 3}
    assert page.types == {
        "moneta-task-created": 1,
        "moneta-task-execution": 3,
        "moneta-task-report": 2,
        "moneta-task-updated": 1,
    }


def test_of_one_task_nothing_of_others_is_told_or_counted(scene: Scene, job: Job) -> None:
    run_for(scene, scene.job(name="Another"), 2)
    page = read(scene, task=job.id)

    assert told(page) == ALL
    assert page.count == sum(page.levels.values()) == len(ALL)


@pytest.mark.usefixtures("job")
def test_only_what_happened_in_that_time_is_told_and_counted(scene: Scene) -> None:
    reported = next(record for record in read(scene).records if record["@level"] == "alert" and record["event_type"].endswith("report"))
    at = scene.clock.now() - MINUTE
    page = read(scene, since=at.replace(second=0, microsecond=0), until=at.replace(second=30))

    assert reported in page.records
    assert told(page) == [("report", "alert"), ("execution", "success")]
    assert (page.count, sum(page.types.values())) == (2, 2)


def test_a_long_run_is_reported_when_it_ends(scene: Scene) -> None:
    run_for(scene, scene.job(), 2 * 86_400)
    page = read(scene)

    assert told(page) == [("report", "success")]


def test_a_run_that_waits_is_not_told_yet(scene: Scene) -> None:
    scene.next_run(scene.job())
    page = read(scene)

    assert told(page) == [("created", "info")]
    assert page.count == 1


def test_a_run_under_way_is_an_execution(scene: Scene) -> None:
    scene.start(scene.next_run(scene.job()))

    assert told(read(scene)) == [("execution", "success"), ("created", "info")]


def test_a_report_has_the_lines_of_the_output(scene: Scene) -> None:
    run = scene.start(scene.next_run(scene.job()))
    scene.store.output.add([Chunk(run_id=run.id, attempt=1, offset=0, frames=(Frame(Stream.STDOUT, 0, b"one\ntwo\n"),))])
    scene.end(run, stdout_bytes=8)
    report = read(scene).records[0]

    assert [line["text"] for line in report["output"]["buffer"]] == ["one", "two"]


def test_the_output_on_one_page_is_limited_in_favour_of_the_newest(scene: Scene) -> None:
    job = scene.job()
    text = (b"x" * 9_999 + b"\n") * 100
    for _ in range(12):
        run = scene.start(scene.next_run(job))
        chunks = [
            Chunk(run_id=run.id, attempt=1, offset=start, frames=(Frame(Stream.STDOUT, 0, text[start : start + 250_000]),))
            for start in range(0, 1_000_000, 250_000)
        ]
        scene.store.output.add(chunks)
        scene.end(run, stdout_bytes=1_000_000)
    reports = read(scene, types=frozenset({"moneta-task-report"})).records

    assert [len(report["output"]["buffer"]) for report in reports[:9]] == [100] * 9
    assert reports[-1]["output"]["buffer"] == []
    assert reports[-1]["output"]["bytes"]["stdout"] == 1_000_000


def test_short_lines_are_limited_as_well(scene: Scene) -> None:
    job = scene.job()
    for _ in range(101):
        run = scene.start(scene.next_run(job))
        scene.store.output.add([Chunk(run_id=run.id, attempt=1, offset=0, frames=(Frame(Stream.STDOUT, 0, b"\n" * 1_000),))])
        scene.end(run, stdout_bytes=1_000)
    reports = read(scene, types=frozenset({"moneta-task-report"}), limit=101).records

    assert [len(report["output"]["buffer"]) for report in reports] == [1_000] * 100 + [0]


def test_changes_are_told_as_tasks_with_who_made_them(scene: Scene) -> None:
    job = scene.job(name="Before")
    scene.clock.move(SECOND)
    scene.jobs.patch(job.id, {"name": "After"}, by="jo")
    scene.clock.move(SECOND)
    scene.jobs.delete(job.id, by="al")
    deleted, updated, created = read(scene, task=job.id).records
    before, after = {"id": job.id, "name": "Before"}, {"id": job.id, "name": "After"}

    assert (created["config"], created["user"]) == (before, "")
    assert (updated["oldconfig"], updated["config"], updated["user"]) == (before, after, "jo")
    assert (deleted["config"], deleted["user"]) == (after, "al")


def many(scene: Scene, number: int, **values: Any) -> Job:
    """A job with so many runs that have ended, one each second."""
    job = scene.job()
    one = scene.end(scene.next_run(job))
    scene.clock.move(timedelta(seconds=number))
    scene.store.runs.add(
        [
            replace(one, id=f"{place:06}", tick=one.tick + place * SECOND, ended_at=one.tick + place * SECOND, **values)
            for place in range(1, number)
        ]
    )
    return job


def test_far_pages_are_refused(scene: Scene) -> None:
    with pytest.raises(Invalid, match="offset and limit reach behind the 10000 newest records"):
        read(scene, offset=MOST, limit=1)


def test_far_pages_are_as_good_as_near_ones(scene: Scene) -> None:
    many(scene, 700)
    page = read(scene, types=frozenset({"moneta-task-execution"}), offset=690)

    assert [record["run"] for record in page.records[:-1]] == [f"{place:06}" for place in range(9, 0, -1)]
    assert (len(page.records), page.count) == (10, 700)


def test_rare_records_are_found_among_many(scene: Scene) -> None:
    run = scene.next_run(scene.job(name="Rare"))
    scene.write(missed(run, "nobody was there", scene.now))
    many(scene, 700, state=RunState.FAILED)

    assert told(read(scene, types=frozenset({"moneta-task-execution"}), levels=frozenset({"alert"}))) == [("execution", "alert")]


def test_no_page_looks_further_back_than_the_newest_runs_of_whatever_jobs(scene: Scene) -> None:
    one = run_for(scene, scene.job(), 2)
    at = scene.clock.now()
    scene.clock.move(HOUR)
    others = [replace(one, id=f"{place:06}", job_id="spinup:space:one", tick=at + place * SECOND / 5) for place in range(1, MOST + 1)]
    scene.store.runs.add([replace(other, ended_at=other.tick) for other in others])

    assert told(read(scene)) == [("created", "info")]
    assert told(read(scene, until=at + SECOND / 5)) == [("report", "success"), ("execution", "success"), ("created", "info")]


def test_nothing_is_read_for_a_page_without_records(scene: Scene) -> None:
    run_for(scene, scene.job(), 2)
    page = read(scene, limit=0, since=scene.now - HOUR)

    assert (page.records, page.count) == ([], 3)
