"""Which documents Elasticsearch gets, and in which requests. The server is a real one."""

from __future__ import annotations

from coal_mine.services.owed_documents import WANTED_UNTIL, OwedDocuments
from tests.background.bureau import EXECUTION, REPORT, Bureau
from tests.support.jobs import DAY, HOUR, SECOND


def test_a_run_that_has_ended_is_an_execution_and_a_report(bureau: Bureau) -> None:
    run = bureau.told(exit_code=3)
    bureau.send()
    (execution,), (report,) = bureau.sent(EXECUTION), bureau.sent(REPORT)

    assert (execution["task"], execution["success"], execution["@level"]) == (run.job_id, True, "success")
    assert (report["task"], report["task_name"], report["status"], report["returncode"]) == (run.job_id, "Backup", "error", 3)


def test_a_document_lies_in_the_index_of_its_own_day(bureau: Bureau) -> None:
    run = bureau.told()
    bureau.clock.move(3 * DAY)
    bureau.send()

    assert (f"{run.tick:%Y.%m.%d}", f"{run.id}|report") in bureau.elastic.documents


def test_a_result_that_comes_hours_after_the_end_is_written_like_any_other(bureau: Bureau) -> None:
    run = bureau.start(bureau.next_run(bureau.job()))
    ended_at = bureau.now + SECOND
    for _ in range(3):
        bureau.clock.move(HOUR)
        bureau.told()
        bureau.send()
    bureau.tell(bureau.end(run, ended_at=ended_at))
    bureau.send()

    assert f"{run.id}|report" in bureau.elastic.ids()


def test_changes_of_jobs_are_written_with_the_task_as_it_is_and_was(bureau: Bureau) -> None:
    job = bureau.jobs.create({"name": "Backup", "command": "one"}, by="jo").job
    bureau.jobs.patch(job.id, {"command": "two"}, by="al")
    bureau.jobs.delete(job.id, by="jo")
    bureau.send()
    changes = [document for document in bureau.elastic.documents.values() if document["task"] == job.id]

    assert [(each["event_type"], each["user"]) for each in changes] == [
        ("moneta-task-created", "jo"),
        ("moneta-task-updated", "al"),
        ("moneta-task-deleted", "jo"),
    ]
    assert [(each["config"]["command"], each.get("oldconfig", {}).get("command")) for each in changes] == [
        ("one", None),
        ("two", "one"),
        ("two", None),
    ]


def test_a_run_that_goes_on_is_not_written_yet(bureau: Bureau) -> None:
    run = bureau.start(bureau.next_run(bureau.job()))
    bureau.tell(run)
    bureau.send()

    assert bureau.sent(EXECUTION, REPORT) == []


def test_what_was_taken_leaves_nothing_in_the_outbox(bureau: Bureau) -> None:
    bureau.told()
    bureau.send()

    assert bureau.kept() == []


def test_nothing_is_sent_twice(bureau: Bureau) -> None:
    bureau.told()
    bureau.send()
    requests = len(bureau.elastic.requests)
    bureau.send()

    assert len(bureau.elastic.requests) == requests


def test_of_a_run_that_was_forgotten_nothing_is_written(bureau: Bureau) -> None:
    run = bureau.told()
    bureau.store.runs.forget(bureau.now + DAY, limit=10)
    bureau.send()

    assert not [found for found in bureau.elastic.ids() if run.id in found]
    assert bureau.waiting() == 0


def test_much_is_sent_in_requests_of_a_bearable_size(bureau: Bureau) -> None:
    bureau.ended_runs(450)
    bureau.send()

    assert bureau.elastic.sizes == [400, 400, 100]  # two of each run


def test_large_reports_are_sent_a_few_at_once(bureau: Bureau) -> None:
    for _ in range(7):
        bureau.told_with_output((b"x" * 999 + b"\n") * 1_000)
    bureau.send()

    assert len(bureau.sent(REPORT)) == 7
    assert len(bureau.elastic.sizes) == 2


def test_documents_are_wanted_for_as_long_as_somebody_sends_them(bureau: Bureau) -> None:
    for _ in range(14):
        bureau.send()
        bureau.clock.move(DAY)
    run = bureau.told()
    bureau.send()

    assert f"{run.id}|report" in bureau.elastic.ids()


def test_who_begins_to_send_documents_wants_them(bureau: Bureau) -> None:
    bureau.store.options.unset(WANTED_UNTIL)
    bureau.new_sender().run_once(bureau.now)
    OwedDocuments(bureau.store, bureau.clock).of_runs([bureau.ended_run()])

    assert bureau.waiting() == 1
