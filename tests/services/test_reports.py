"""Mail about single runs: for which runs, and what it says."""

from __future__ import annotations

from typing import Any

import pytest

from coal_mine.background.outbox import Sender
from coal_mine.domain.alert import REPORTS
from coal_mine.domain.message import Message
from coal_mine.domain.output import Chunk, Frame, Stream
from coal_mine.domain.run import End, Run, lost, missed, skipped
from coal_mine.services.options import Options
from coal_mine.services.reports import report_message
from coal_mine.services.run_requests import RunRequest
from tests.support.edges import Letterbox
from tests.support.jobs import SECOND, Scene

JO = ["jo@example.com"]


def wanted(scene: Scene, word: str, **result: Any) -> int:
    """How many reports there are of a run that ends like this."""
    scene.tell(scene.end(scene.next_run(scene.job(mail_report=word, mail_to=JO)), **result))
    return len(scene.reports)


@pytest.mark.parametrize(
    ("word", "result", "expected"),
    [
        ("always", {}, 1),
        ("always", {"exit_code": 1}, 1),
        ("error", {}, 0),
        ("error", {"exit_code": 1}, 1),
        ("error", {"end": End.KILLED, "exit_code": None}, 1),
        ("stdout", {"stdout_bytes": 1}, 1),
        ("stdout", {"stderr_bytes": 1}, 0),
        ("stderr", {"stderr_bytes": 1}, 1),
        ("stderr", {"stdout_bytes": 1}, 0),
        ("output", {"stdout_bytes": 1}, 1),
        ("output", {"stderr_bytes": 1}, 1),
        ("output", {"exit_code": 1}, 0),
    ],
)
def test_the_word_decides_which_runs_are_reported(scene: Scene, word: str, result: dict[str, Any], expected: int) -> None:
    assert wanted(scene, word, **result) == expected


def test_never_is_what_holds_when_nobody_asks(scene: Scene) -> None:
    scene.tell(scene.end(scene.next_run(scene.job(mail_to=JO)), exit_code=1, stdout_bytes=1))

    assert scene.reports == []


def test_an_error_that_is_followed_by_another_attempt_is_not_reported(scene: Scene) -> None:
    scene.tell(scene.end(scene.next_run(scene.job(mail_report="always", mail_to=JO, retries=1)), exit_code=1))

    assert scene.reports == []


def test_a_missed_run_is_an_error(scene: Scene) -> None:
    run = scene.next_run(scene.job(mail_report="error", mail_to=JO))
    scene.tell(scene.write(missed(run, "nobody was there", scene.now)))

    assert len(scene.reports) == 1


def test_a_skipped_run_is_never_reported(scene: Scene) -> None:
    run = scene.next_run(scene.job(mail_report="always", mail_to=JO))
    scene.tell(scene.write(skipped(run, "draining", scene.now)))

    assert scene.reports == []


def test_each_receiver_gets_a_report(scene: Scene) -> None:
    scene.tell(scene.end(scene.next_run(scene.job(mail_report="always", mail_to=["jo@example.com", "al@example.com"]))))

    assert sorted(each.receiver.address for each in scene.reports) == ["al@example.com", "jo@example.com"]


def reported(scene: Scene, *frames: Frame, body: dict[str, Any] | None = None, **result: Any) -> Message:
    """What is mailed of a run that has written these frames."""
    run = scene.start(scene.next_run(scene.job(**{"mail_report": "always", "mail_to": JO} | (body or {}))))
    scene.clock.move(SECOND)
    if frames:
        scene.store.output.add([Chunk(run_id=run.id, attempt=1, offset=0, frames=frames)])
    sizes = {f"{stream.name.lower()}_bytes": sum(len(frame.data) for frame in frames if frame.stream is stream) for stream in Stream}
    scene.tell(scene.end(run, **sizes, **result))
    (delivery,) = scene.reports
    return report_message(delivery.id, delivery.alert, scene.store)


def out(data: bytes, millis: int = 0) -> Frame:
    return Frame(Stream.STDOUT, millis, data)


def err(data: bytes, millis: int = 0) -> Frame:
    return Frame(Stream.STDERR, millis, data)


def test_the_subject_names_job_and_state(scene: Scene) -> None:
    assert reported(scene, exit_code=3).subject == "Execution Report - Job Backup (status: failed)"


def test_the_headers_say_what_filters_look_for(scene: Scene) -> None:
    assert reported(scene, exit_code=3).headers == (("X-Moneta-Status", "error"), ("X-Moneta-Return-Code", "3"))


def test_the_status_of_a_good_run_is_ok(scene: Scene) -> None:
    assert dict(reported(scene).headers) == {"X-Moneta-Status": "ok", "X-Moneta-Return-Code": "0"}


def test_the_status_of_a_run_that_could_not_be_started_is_fail(scene: Scene) -> None:
    message = reported(scene, end=End.NOT_STARTED, exit_code=None, error="no such file")

    assert dict(message.headers) == {"X-Moneta-Status": "fail"}


def test_the_text_tells_exit_code_times_and_usage(scene: Scene) -> None:
    body = reported(scene, exit_code=3, max_memory=10 << 20, cpu_user=0.5, cpu_system=0.25).body

    assert "Status:      failed, exit status 3\n" in body
    assert "Node:        alpha\n" in body
    assert "Duration:    1.000 s\n" in body
    assert "Exit code:   3\n" in body
    assert "Max memory:  10.0 MB\n" in body
    assert "CPU:         0.500 s user, 0.250 s system\n" in body


def test_lines_are_shown_with_their_time_and_stream(scene: Scene) -> None:
    body = reported(scene, out(b"one\n"), err(b"two\n", 1_500), out(b"three", 2_000)).body

    assert body.endswith("    0.000 stdout one\n    1.500 stderr two\n    2.000 stdout three\n")
    assert "Output: 9 bytes on stdout, 4 bytes on stderr; the last 3 lines:" in body


def test_a_line_that_came_in_parts_between_those_of_the_other_stream_is_one(scene: Scene) -> None:
    body = reported(scene, out(b"be"), err(b"x\n", 1), out(b"gin\n", 2)).body

    assert "    0.000 stdout begin\n" in body


def test_broken_text_and_control_characters_are_shown_without_harm(scene: Scene) -> None:
    body = reported(scene, out(b"\xff\x00\x1b[31mred\r\n.\nFrom: root\n")).body

    assert "stdout \ufffd  [31mred\n" in body
    assert "stdout .\n" in body


def test_a_long_output_is_cut_to_its_end(scene: Scene) -> None:
    body = reported(scene, out(b"".join(b"%d\n" % number for number in range(3_000)))).body

    assert "the last 1000 lines:" in body
    assert " stdout 1999\n" not in body
    assert body.endswith(" stdout 2999\n")


def test_a_command_of_several_lines_stays_on_one(scene: Scene) -> None:
    body = reported(scene, body={"command": "echo 1\necho 2"}).body

    assert "Command:     echo 1 echo 2\n" in body


def test_a_report_of_a_run_that_was_lost_has_the_lines_that_were_stored(scene: Scene) -> None:
    run = scene.start(scene.next_run(scene.job(mail_report="error", mail_to=JO)))
    scene.store.output.add([Chunk(run_id=run.id, attempt=1, offset=0, frames=(Frame(Stream.STDOUT, 1_500, b"half of it\n"),))])
    scene.tell(scene.write(lost(run, "its node was restarted", scene.now)))

    body = report_message("d1", scene.reports[0].alert, scene.store).body

    assert body.endswith("Output: what was stored of it; the last 1 lines:\n\n    1.500 stdout half of it\n")


def test_a_report_of_a_run_that_was_forgotten_says_so(scene: Scene) -> None:
    reported(scene)
    (delivery,) = scene.reports
    scene.store.runs.forget(scene.clock.move(SECOND), limit=10)
    message = report_message(delivery.id, delivery.alert, scene.store)

    assert message.body == "The record of the run has been deleted since.\n"


def test_a_report_is_the_same_however_often_it_is_made(scene: Scene) -> None:
    first = reported(scene, out(b"one\n"))
    (delivery,) = scene.reports

    assert report_message(delivery.id, delivery.alert, scene.store) == first


def test_times_are_in_the_zone_that_the_option_says(scene: Scene) -> None:
    Options(scene.store, scene.clock).set("mailer", {"sender": "cron@example.com", "timezone": "Asia/Tokyo"})
    times = [line.split(":", 1)[1].strip() for line in reported(scene).body.splitlines() if line.startswith(("Start", "End"))]

    assert times == ["2026-11-22T21:01:00.000+09:00 Asia/Tokyo", "2026-11-22T21:01:01.000+09:00 Asia/Tokyo"]


def test_times_of_a_zone_that_the_system_knows_no_longer_are_in_utc(scene: Scene) -> None:
    scene.store.options.set("mailer", '{"timezone": "Europe/Atlantis"}')

    assert "Start:       2026-11-22T12:01:00.000Z\n" in reported(scene).body


def send_reports(scene: Scene, count: int) -> list[tuple[str, Message]]:
    run = scene.next_run(scene.job(mail_report="always", mail_to=JO, overlap="allow"))
    ended: list[Run] = [scene.end(run)]
    ended += [scene.end(scene.runs.start(run.job_id, RunRequest())[0]) for _ in range(count - 1)]
    scene.tell(*ended)
    letterbox = Letterbox()
    sender = Sender(scene.store, scene.clock, scene.ids, {REPORTS: letterbox}, digest_above=1_000)
    while sender.run_once(scene.now) == scene.now:
        pass
    return letterbox.taken


def test_each_of_many_reports_is_a_mail_of_its_own(scene: Scene) -> None:
    assert len(send_reports(scene, 30)) == 30
