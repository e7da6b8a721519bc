"""Bodies that are not what a job call wants: an error with a reason, never a 500."""

from __future__ import annotations

import pytest

from tests.api.job_calls import ROOT, JobCalls
from tests.api.wire import Answer, exchange, request

TYPE = "Content-Type: application/json"


def posted(jobs: JobCalls, body: bytes, *headers: str) -> Answer:
    sent = [f"X-Auth-Token: {jobs.key}", f"Content-Length: {len(body)}", *(headers or (TYPE,))]
    return exchange(jobs.server, request("POST", f"{ROOT}/jobs", *sent, body=body))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "the body is missing: send JSON, with the header Content-Type: application/json"),
        (b'{"name": "x",}', "the body is not JSON: "),
        (b'{\n"name"}', "the body is not JSON: Expecting ':' delimiter in line 2, column 7"),
        (b'{"name": "\xff"}', "the body is not UTF-8 at byte 11"),
        (b"[]", "the body is a list, not an object"),
        (b'{"name": "a", "name": "b"}', "the body has an object with two members 'name'"),
        (b'{"name": NaN}', "the body contains NaN, which is no number in JSON"),
        (b'{"cpus": -Infinity}', "the body contains -Infinity, which is no number in JSON"),
        (b'{"cpus": 1e999}', "the body contains 1e999, which is too large for a number"),
        (b'{"cpus": ' + b"1" * 5_000 + b"}", "the body contains a number that is too long"),
        (b'{"name": "\\ud800"}', "the body contains half a character"),
        (b'{"\\udfff": 1}', "the body contains half a character"),
        (b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}", "the body has objects or lists within each other, more than 50 deep"),
        (b"[" * 500_000, "the body has objects or lists within each other, more than 50 deep"),
        (b'{"name": "a\\u0000b", "command": "true"}', "name contains the control character U+0000 at position 2"),
    ],
)
def test_a_bad_body_is_answered_with_400_and_the_reason(jobs: JobCalls, body: bytes, error: str) -> None:
    answer = posted(jobs, body)

    assert (answer.status, answer.error[: len(error)]) == (400, error)


def test_whole_characters_outside_the_first_plane_are_accepted(jobs: JobCalls) -> None:
    answer = posted(jobs, b'{"name": "\\ud83d\\ude00 x", "command": "true"}')

    assert (answer.status, answer.json["name"]) == (201, "\U0001f600 x")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/json", "multipart/form-data"])
def test_another_type_is_answered_with_415_and_the_right_header(jobs: JobCalls, kind: str) -> None:
    answer = posted(jobs, b'{"name": "x", "command": "true"}', f"Content-Type: {kind}")

    assert answer.status == 415
    assert "curl: -H 'Content-Type: application/json'" in answer.error


def test_a_body_of_no_type_is_answered_with_415(jobs: JobCalls) -> None:
    assert posted(jobs, b'{"name": "x", "command": "true"}', "Accept: */*").status == 415


def test_a_charset_beside_the_type_does_no_harm(jobs: JobCalls) -> None:
    assert posted(jobs, b'{"name": "x", "command": "true"}', f"{TYPE}; charset=utf-8").status == 201


def test_a_body_above_the_limit_is_refused_before_it_has_come(jobs: JobCalls) -> None:
    sent = [f"X-Auth-Token: {jobs.key}", TYPE, "Content-Length: 1048577"]
    answer = exchange(jobs.server, request("POST", f"{ROOT}/jobs", *sent))

    assert (answer.status, answer.error) == (413, "the body has 1048577 bytes; at most 1048576 are allowed")


def test_a_body_in_chunks_is_refused(jobs: JobCalls) -> None:
    sent = [f"X-Auth-Token: {jobs.key}", TYPE, "Transfer-Encoding: chunked"]
    answer = exchange(jobs.server, request("POST", f"{ROOT}/jobs", *sent, body=b"2\r\n{}\r\n0\r\n\r\n"))

    assert (answer.status, answer.error) == (400, "a body must come with its Content-Length, not in chunks")
