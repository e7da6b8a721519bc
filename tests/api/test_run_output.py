"""What runs write: whole, in parts, in ranges, and while it grows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.api.job_calls import JobCalls
from tests.support.waiting import until


@pytest.fixture(scope="module")
def both(jobs: JobCalls) -> Any:
    """A run that has written "out\n" and then "err\n"."""
    return jobs.run(jobs.created(command="echo out; sleep 0.3; echo err >&2"))


@pytest.fixture
def growing(jobs: JobCalls, tmp_path: Path) -> Iterator[tuple[Any, FileIO]]:
    """A run that writes what is put into a pipe, and ends when the pipe does."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with FileIO(path, "r+") as pipe:  # for reading, too: that does not wait for the other side
        run = jobs.call("POST", f"/jobs/{jobs.created(command=['cat', str(path)])['id']}/run").json()
        yield jobs.reached(run["id"], "running"), pipe
    jobs.ended(run["id"])


def output(jobs: JobCalls, run: Any, headers: dict[str, str] | None = None, **query: Any) -> requests.Response:
    return jobs.call("GET", f"/runs/{run['id']}/output", headers=headers, **query)


def following(answer: requests.Response) -> tuple[str, int, str]:
    return answer.text, int(answer.headers["X-Next-Offset"]), answer.headers["X-Complete"]


def test_the_whole_output_comes_in_the_order_of_writing(jobs: JobCalls, both: Any) -> None:
    answer = output(jobs, both)

    assert following(answer) == ("out\nerr\n", 8, "true")
    assert (answer.headers["X-Dropped"], answer.headers["X-Attempt"]) == ("0", "1")


def test_no_browser_may_take_output_for_a_page(jobs: JobCalls, both: Any) -> None:
    headers = output(jobs, both).headers

    assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("text/plain; charset=utf-8", "nosniff")


@pytest.mark.parametrize(("stream", "text"), [("stdout", "out\n"), ("stderr", "err\n"), ("both", "out\nerr\n")])
def test_a_stream_can_be_had_alone(jobs: JobCalls, both: Any, stream: str, text: str) -> None:
    assert following(output(jobs, both, stream=stream)) == (text, 8, "true")


def test_parts_follow_each_other(jobs: JobCalls, both: Any) -> None:
    first = output(jobs, both, limit=5)
    second = output(jobs, both, offset=first.headers["X-Next-Offset"])

    assert (following(first), following(second)) == (("out\ne", 5, "false"), ("rr\n", 8, "true"))


def test_behind_the_end_there_is_nothing_more(jobs: JobCalls, both: Any) -> None:
    assert following(output(jobs, both, offset=100)) == ("", 100, "true")


@pytest.mark.parametrize(
    ("range_", "text", "shown"),
    [("bytes=0-2", "out", "bytes 0-2/8"), ("bytes=4-", "err\n", "bytes 4-7/8"), ("bytes=6-99", "r\n", "bytes 6-7/8")],
)
def test_a_range_is_answered_with_206(jobs: JobCalls, both: Any, range_: str, text: str, shown: str) -> None:
    answer = output(jobs, both, {"Range": range_})

    assert (answer.status_code, answer.text, answer.headers["Content-Range"]) == (206, text, shown)


def test_a_range_behind_the_end_is_answered_with_416(jobs: JobCalls, both: Any) -> None:
    answer = output(jobs, both, {"Range": "bytes=8-"})

    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */8")


@pytest.mark.parametrize("range_", ["bytes=3-1", "bytes=-5", "lines=1-2", "bytes=0-1,3-4"])
def test_a_range_of_another_kind_is_ignored(jobs: JobCalls, both: Any, range_: str) -> None:
    assert output(jobs, both, {"Range": range_}).status_code == 200


def test_nothing_new_is_answered_with_304(jobs: JobCalls, both: Any) -> None:
    known = output(jobs, both).headers["ETag"]
    answer = output(jobs, both, {"If-None-Match": known})

    assert (answer.status_code, answer.content) == (304, b"")


def test_bytes_that_are_no_text_come_as_they_are(jobs: JobCalls) -> None:
    run = jobs.run(jobs.created(command=r"printf 'a\000\377\303'"))

    assert output(jobs, run).content == b"a\0\xff\xc3"


def test_output_can_be_followed_while_it_grows(jobs: JobCalls, growing: tuple[Any, FileIO]) -> None:
    run, pipe = growing
    pipe.write(b"one\n")
    first = until("the first line", lambda: following(output(jobs, run)) == ("one\n", 4, "false"))
    pipe.write(b"two\n")
    second = until("the second line", lambda: following(output(jobs, run, offset=4)) == ("two\n", 8, "false"))
    pipe.close()

    assert first
    assert second
    assert until("the end", lambda: following(output(jobs, run, offset=8)) == ("", 8, "true"))


def test_a_run_that_waits_has_written_nothing_yet(jobs: JobCalls) -> None:
    run = jobs.call("POST", f"/jobs/{jobs.created(pools=['moon'])['id']}/run").json()

    assert following(output(jobs, run)) == ("", 0, "false")


def test_each_attempt_has_an_output_of_its_own(jobs: JobCalls) -> None:
    run = jobs.run(jobs.created(command="echo attempt $JOB_ATTEMPT; false", retries={"max": 1, "wait": 0}))

    assert [output(jobs, run, attempt=number).text for number in (1, 2)] == ["attempt 1\n", "attempt 2\n"]
    assert output(jobs, run).text == "attempt 2\n"


def test_an_attempt_that_never_was_is_answered_with_404(jobs: JobCalls, both: Any) -> None:
    assert jobs.error("GET", f"/runs/{both['id']}/output", attempt=2) == (404, f"run {both['id']} has no attempt 2; it has had 1")


@pytest.mark.parametrize("query", [{"stream": "stdin"}, {"offset": "-1"}, {"limit": "0"}, {"limit": "8388609"}, {"attempt": "x"}])
def test_a_wrong_parameter_is_refused(jobs: JobCalls, both: Any, query: dict[str, str]) -> None:
    assert jobs.error("GET", f"/runs/{both['id']}/output", **query)[0] == 400
