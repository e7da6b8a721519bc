"""What a job's canary, and with it people, hear of its runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from coal_mine.domain.output import Chunk, Frame, Stream
from coal_mine.domain.run import End, RunChange, RunState, abandoned, gone, killed, lost, missed, skipped
from coal_mine.services.run_requests import RunRequest
from tests.support.jobs import DAY, HOUR, MINUTE, SECOND, Scene

DAILY = [{"cron": "0 2 * * *"}]
EVERY = {"failure_alerts": "every"}


def test_a_good_run_triggers_its_canary_with_a_comment(scene: Scene) -> None:
    run = scene.next_run(scene.job())
    scene.tell(scene.end(run))

    assert scene.history_of(run)[0].text == f"Triggered (run of {run.tick:%Y-%m-%dT%H:%M:%S}.000Z on alpha: done in 0.0 s)"


def test_a_good_run_moves_the_deadline_behind_the_next_tick(scene: Scene) -> None:
    run = scene.next_run(scene.job())
    scene.tell(scene.end(run))
    deadline = scene.canary_of(run).deadline

    assert deadline is not None
    assert deadline > run.tick + MINUTE


def test_a_failed_run_alerts_at_once_with_the_last_lines_of_its_output(scene: Scene) -> None:
    run = scene.start(scene.next_run(scene.job()))
    written = b"".join(b"line %d\n" % number for number in range(30)) + b"disk full\n"
    scene.store.output.add([Chunk(run_id=run.id, attempt=1, offset=0, frames=(Frame(Stream.STDERR, 0, written),))])
    scene.tell(scene.end(run, exit_code=3, stderr_bytes=len(written)))

    assert scene.alerts == ["FAILED"]
    assert "on node alpha: failed, exit status 3" in scene.details[0]
    assert scene.details[0].endswith("line 29\ndisk full")
    assert "line 10\n" not in scene.details[0]


def test_the_last_lines_of_broken_output_can_be_told(scene: Scene) -> None:
    run = scene.start(scene.next_run(scene.job()))
    scene.store.output.add([Chunk(run_id=run.id, attempt=1, offset=0, frames=(Frame(Stream.STDOUT, 0, b"\xff\0bad"),))])
    scene.tell(scene.end(run, exit_code=1, stdout_bytes=5))

    assert scene.details[0].endswith("\ufffd\0bad")


def test_a_missed_run_alerts(scene: Scene) -> None:
    run = scene.next_run(scene.job())
    scene.tell(scene.write(missed(run, "nobody was there", scene.now)))

    assert scene.alerts == ["MISSED"]


def test_a_lost_run_alerts(scene: Scene) -> None:
    run = scene.start(scene.next_run(scene.job()))
    scene.tell(scene.write(lost(run, "its node was restarted", scene.now)))

    assert scene.alerts == ["LOST"]


def test_a_run_out_of_reach_alerts_once_even_when_it_is_lost_later(scene: Scene) -> None:
    run = scene.write(abandoned(scene.start(scene.next_run(scene.job())), "silent", scene.now))
    scene.tell(run)
    scene.clock.move(DAY)
    scene.tell(scene.write(lost(run, "never heard of again", scene.now)))

    assert scene.alerts == ["LOST"]


def test_a_good_end_that_is_told_after_its_node_was_silent_is_a_recovery(scene: Scene) -> None:
    run = scene.start(scene.next_run(scene.job()))
    ended_at = scene.clock.move(SECOND)
    silent = scene.write(abandoned(run, "silent", scene.clock.move(35 * SECOND)))
    scene.tell(silent)
    scene.clock.move(SECOND)
    scene.tell(scene.end(silent, ended_at=ended_at))

    assert (scene.canary_of(run).late, scene.alerts) == (False, ["LOST", "RESUMED"])
    assert scene.history_of(run)[0].text.endswith("done in 1.0 s)")


def test_the_next_good_run_after_a_failed_one_is_a_recovery(scene: Scene) -> None:
    job = scene.job()
    scene.tell(scene.end(scene.next_run(job), exit_code=1))
    scene.tell(scene.end(scene.next_run(job)))

    assert scene.alerts == ["FAILED", "RESUMED"]


def test_only_the_first_of_several_failures_alerts(scene: Scene) -> None:
    job = scene.job()
    for _ in range(3):
        scene.tell(scene.end(scene.next_run(job), exit_code=1))

    assert scene.alerts == ["FAILED"]


def test_the_later_failures_enter_the_history(scene: Scene) -> None:
    job = scene.job()
    for _ in range(3):
        scene.tell(scene.end(scene.next_run(job), exit_code=1))

    assert sum(entry.text.startswith("Failed") for entry in scene.history_of(job)) == 3


def test_every_failure_alerts_when_somebody_wants_that(scene: Scene) -> None:
    job = scene.job(**EVERY)
    for _ in range(3):
        scene.tell(scene.end(scene.next_run(job), exit_code=1))

    assert scene.alerts == ["FAILED", "FAILED", "FAILED"]


def test_every_failure_of_one_millisecond_alerts_whoever_tells_it(scene: Scene) -> None:
    job = scene.job(overlap="allow", **EVERY)
    runs = [scene.start(scene.next_run(job)) for _ in range(2)]
    for run in [scene.end(run, exit_code=1) for run in runs]:
        scene.tell(run)

    assert scene.alerts == ["FAILED", "FAILED"]


def test_a_failed_attempt_that_is_followed_by_another_alerts_nobody(scene: Scene) -> None:
    run = scene.end(scene.next_run(scene.job(retries=1)), exit_code=1)
    scene.tell(run)

    assert (run.state, scene.alerts) == (RunState.RETRYING, [])


def test_the_last_failed_attempt_alerts(scene: Scene) -> None:
    run = scene.end(scene.next_run(scene.job(retries=1)), exit_code=1)
    scene.tell(scene.end(run, exit_code=1))

    assert scene.alerts == ["FAILED"]


def test_a_killed_run_alerts_nobody(scene: Scene) -> None:
    run = scene.next_run(scene.job(mail_report="never"))
    scene.tell(scene.end(run, end=End.KILLED, exit_code=None))

    assert scene.alerts == []
    assert scene.history_of(run)[0].text.startswith("Killed (run of ")


def test_a_run_that_an_operator_kept_from_being_started_alerts_nobody(scene: Scene) -> None:
    run = scene.next_run(scene.job())
    scene.tell(scene.write(skipped(run, "draining: node alpha", scene.now)))

    assert scene.alerts == []


def test_a_canary_is_not_late_for_a_tick_whose_run_was_killed(scene: Scene) -> None:
    run = scene.next_run(scene.job(schedules=DAILY))
    scene.tell(scene.write(killed(scene.start(run), "by hand", scene.now)))

    assert not late_after(scene, 3 * HOUR)
    assert late_after(scene, DAY)


def test_a_canary_is_not_late_for_a_tick_that_an_operator_held_back(scene: Scene) -> None:
    run = scene.next_run(scene.job(schedules=DAILY))
    scene.tell(scene.write(skipped(run, "draining: node alpha", scene.now)))

    assert not late_after(scene, 3 * HOUR)
    assert late_after(scene, DAY)


def test_a_killed_run_does_not_end_that_a_canary_is_late(scene: Scene) -> None:
    job = scene.job()
    scene.tell(scene.end(scene.next_run(job), exit_code=1))
    scene.tell(scene.write(killed(scene.next_run(job), "by hand", scene.now)))

    assert (scene.canary_of(job).late, scene.alerts) == (True, ["FAILED"])


def test_a_run_by_hand_that_is_killed_leaves_the_deadline(scene: Scene) -> None:
    job = scene.job(schedules=DAILY)
    before = scene.canary_of(job).deadline
    scene.clock.move(DAY)
    run = scene.runs.start(job.id, RunRequest())[0]
    scene.tell(scene.write(killed(run, "by hand", scene.now)))

    assert scene.canary_of(job).deadline == before


def test_two_skips_in_a_row_because_of_an_earlier_run_alert_nobody(scene: Scene) -> None:
    skip_ticks(scene, 2)

    assert scene.alerts == []


def test_the_third_skip_in_a_row_because_of_an_earlier_run_is_late(scene: Scene) -> None:
    skip_ticks(scene, 3)

    assert scene.alerts == ["LATE"]
    assert scene.details == ["3 ticks in a row were skipped: an earlier run is still under way"]


def test_a_good_run_between_skips_begins_to_count_anew(scene: Scene) -> None:
    job = scene.job(grace=3_600)
    for number in range(5):
        run = scene.next_run(job)
        scene.tell(scene.end(run) if number == 2 else scene.write(skipped(run, "an earlier run is still under way", scene.now)))

    assert scene.alerts == []


def test_a_good_run_of_a_disabled_job_leaves_its_canary_paused(scene: Scene) -> None:
    job = scene.job()
    run = scene.start(scene.next_run(job))
    scene.jobs.disable(job.id)
    scene.clock.move(SECOND)
    scene.tell(scene.end(run))

    assert scene.canary_of(job).paused


def test_a_failed_run_of_a_disabled_job_alerts_nobody(scene: Scene) -> None:
    job = scene.job()
    run = scene.start(scene.next_run(job))
    scene.jobs.disable(job.id)
    scene.clock.move(SECOND)
    scene.tell(scene.end(run, exit_code=1))

    assert scene.alerts == []


def test_a_run_of_a_deleted_job_is_told_to_nobody_and_settled(scene: Scene) -> None:
    job = scene.job()
    run = scene.start(scene.next_run(job))
    scene.jobs.delete(job.id)
    scene.tell(scene.end(run))

    assert not scene.get(run).owed


def test_a_good_run_whose_canary_was_deleted_is_settled(scene: Scene) -> None:
    run = scene.next_run(scene.job())
    scene.store.canaries.remove(scene.canary_of(run).id)
    scene.tell(scene.end(run))

    assert not scene.get(run).owed


def test_a_run_that_cannot_be_told_does_not_keep_others_from_being(scene: Scene) -> None:
    bad, good = (scene.end(scene.next_run(scene.job(id=name, name=name))) for name in ("bad", "good"))
    unreadable = replace(scene.store.jobs.get("bad").definition, cpus=-1)
    before = scene.store.jobs.get("bad")
    scene.store.jobs.replace(before, replace(before, definition=unreadable))
    scene.tell(bad, good)

    assert (scene.get(bad).owed, scene.get(good).owed) == (True, False)


def test_a_rerun_owes_nobody_a_word(scene: Scene) -> None:
    run = scene.write(gone(scene.start(scene.next_run(scene.job(on_lost="rerun"))), "silent", scene.now))

    assert (run.state, run.owed) == (RunState.QUEUED, False)


def test_a_run_that_is_killed_before_it_was_started_enters_the_history(scene: Scene) -> None:
    run = scene.next_run(scene.job())
    scene.tell(scene.write(killed(run, "killed before it was started", scene.now)))

    assert "killed before it was started" in scene.history_of(run)[0].text


def late_after(scene: Scene, time: timedelta) -> bool:
    """Whether a canary is late when so much time has passed."""
    return scene.store.canaries.mark_late(scene.clock.move(time)) > 0


def skip_ticks(scene: Scene, count: int) -> None:
    job = scene.job()
    for _ in range(count):
        scene.tell(scene.write(skipped(scene.next_run(job), "an earlier run is still under way", scene.now)))


@pytest.mark.parametrize("bad", [abandoned, lost])
def test_a_run_that_is_lost_alerts_with_the_last_lines_that_were_stored(scene: Scene, bad: Callable[..., RunChange]) -> None:
    run = scene.start(scene.next_run(scene.job()))
    scene.store.output.add([Chunk(run_id=run.id, attempt=1, offset=0, frames=(Frame(Stream.STDOUT, 0, b"copied\nhalf of it"),))])
    scene.tell(scene.write(bad(run, "silent", scene.now)))

    assert scene.details[0].endswith("copied\nhalf of it")
