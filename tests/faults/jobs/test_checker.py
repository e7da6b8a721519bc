"""The checker itself: it accepts a scenario in which all went well, and finds each kind of fault in one that was made wrong by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.faults.jobs.checker import Case, judge
from tests.faults.jobs.facts import Note, Record, Told, Watched, notes_in

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICKS = [NOON + timedelta(seconds=second) for second in range(3)]


def record(place: int, state: str, *, epoch: int = 1) -> Record:
    """Of the tick of that place, started in time or alerted ten seconds later."""
    tick = TICKS[place]
    ended_at = tick + timedelta(seconds=10)
    return Record(
        id=f"job.{place}", job="job", tick=tick, slot="any", origin="schedule", state=state, epoch=epoch, attempt=epoch,
        reason="", start_by=tick + timedelta(seconds=9), ended_at=ended_at,
    )  # fmt: skip


def note(word: str, place: int, *, epoch: int = 1) -> Note:
    return Note(word, f"job.{place}", epoch, 0.0)


def missed(place: int) -> Told:
    return Told("MISSED", "abcdefgh", TICKS[place] + timedelta(seconds=10), f"job.{place}")


def good() -> Case:
    """One done, one missed, one that was run again elsewhere."""
    return Case(
        jobs=[Watched(id="job", canary="abcdefgh", ticks=TICKS)],
        records=[record(0, "done"), record(1, "missed", epoch=0), record(2, "done", epoch=2)],
        notes=[
            note("start", 0), note("end", 0),
            note("start", 2), note("alive", 2),
            note("start", 2, epoch=2), note("end", 2, epoch=2),
        ],
        told=[missed(1)],
    )  # fmt: skip


def faults(case: Case) -> str:
    return "\n".join(judge(case).faults)


def with_notes(*notes: Note) -> Case:
    return replace(good(), notes=[*good().notes, *notes])


def test_a_scenario_in_which_all_went_well_has_no_faults() -> None:
    assert faults(good()) == ""


def test_a_tick_without_a_record_is_found() -> None:
    case = replace(good(), records=good().records[:2], notes=good().notes[:2])

    assert faults(case) == "job: no record of 12:00:02.000000 on any"


def test_a_second_record_of_a_tick_is_found() -> None:
    twin = replace(record(1, "skipped", epoch=0), id="job.twin")

    assert "2 records" in faults(replace(good(), records=[*good().records, twin]))


def test_a_run_that_has_not_ended_is_found() -> None:
    running = replace(record(0, "running"), ended_at=None)
    case = replace(good(), records=[running, *good().records[1:]])

    assert faults(case) == "job.0: still running, "
    assert faults(replace(case, live=frozenset({"job.0"}))) == ""


def test_a_run_that_was_started_twice_by_one_claim_is_found() -> None:
    assert "job.0: 2 starts of epoch 1" in faults(with_notes(note("start", 0)))


def test_the_start_of_a_run_that_is_said_to_be_missed_is_found() -> None:
    assert faults(with_notes(note("start", 1))) == "job.1: started, and its record says missed"


def test_the_start_of_a_run_without_a_record_is_found() -> None:
    assert faults(with_notes(Note("start", "stranger", 1, 0.0))) == "stranger: started, and there is no record of it"


def test_a_good_end_that_no_job_has_seen_is_found() -> None:
    case = replace(good(), notes=good().notes[2:])

    assert faults(case) == "job.0: done, and epoch 1 was not seen from start to end"


def test_a_claim_that_goes_on_beside_a_later_one_is_found() -> None:
    assert "job.2: epoch 1 was alive beside a later one" in faults(with_notes(note("alive", 2)))


def test_two_runs_at_once_of_a_job_that_runs_alone_are_found() -> None:
    case = with_notes(note("alive", 0))

    assert "job: job.0 was alive beside another run" in faults(case)
    assert faults(replace(case, jobs=[replace(case.jobs[0], alone=False)])) == ""


def test_a_missed_run_of_which_nobody_was_told_is_found() -> None:
    assert faults(replace(good(), told=[])) == "job.1: MISSED was told to nobody: "


def test_a_mail_about_another_run_is_not_enough() -> None:
    assert faults(replace(good(), told=[missed(0)])) == "job.1: MISSED was told to nobody: "


def test_a_run_that_was_lost_sight_of_must_be_told_even_if_it_ended_well() -> None:
    case = replace(good(), unreachable=frozenset({"job.2"}))

    assert faults(case) == "job.2: LOST was told to nobody: "


def test_where_only_the_first_failure_is_told_a_later_one_need_not_be() -> None:
    case = replace(good(), told=[missed(0)])

    assert faults(replace(case, jobs=[replace(case.jobs[0], tells_all=False)])) == ""


def test_what_jobs_write_is_read_in_its_order() -> None:
    assert notes_in("start a 1 0.5\nend a 1 0.7\n") == [Note("start", "a", 1, 0.5), Note("end", "a", 1, 0.7)]
