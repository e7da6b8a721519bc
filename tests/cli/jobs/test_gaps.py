"""What is said of output whose middle was dropped while it was read."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from urllib.parse import parse_qs, urlsplit

from coal_mine.cli.api import Api
from coal_mine.cli.connection import Connection
from coal_mine.cli.follow import Follower, Sink
from coal_mine.cli.settings import Server
from tests.cli.stranger import Answer, Seen, Stranger


def part(data: bytes, *, dropped: int, size: int) -> Answer:
    return Answer(data, headers={"X-Next-Offset": str(size), "X-Complete": "true", "X-Dropped": str(dropped)})


def answering(**parts: Answer) -> Callable[[Seen], Answer]:
    """By the stream that is asked for."""
    return lambda seen: parts[parse_qs(urlsplit(seen.target).query)["stream"][0]]


def said_of(stranger: Stranger, *streams: str) -> list[str]:
    said: list[str] = []
    api = Api(Connection(Server(url=stranger.url, auth_key=None)))
    sink = Sink(*((stream, TextIOWrapper(BytesIO())) for stream in streams))
    Follower(api, {"id": "one", "attempt": 1, "state": "done"}, sink=sink, say=said.append).follow()
    return said


def test_what_one_reader_has_taken_before_it_was_dropped_is_not_missing(stranger: Stranger) -> None:
    stranger.answer = answering(stdout=part(b"o" * 10, dropped=0, size=20), stderr=part(b"e" * 5, dropped=15, size=20))

    assert said_of(stranger, "stdout", "stderr") == ["5 bytes are missing: the run has written too much to keep all of it"]


def test_what_neither_reader_found_is_counted_once(stranger: Stranger) -> None:
    stranger.answer = answering(stdout=part(b"o" * 4, dropped=10, size=20), stderr=part(b"e" * 6, dropped=10, size=20))

    assert said_of(stranger, "stdout", "stderr") == ["10 bytes are missing: the run has written too much to keep all of it"]


def test_of_both_streams_together_what_the_server_says_is_missing(stranger: Stranger) -> None:
    stranger.answer = answering(both=part(b"o" * 4, dropped=16, size=20))

    assert said_of(stranger, "both") == ["16 bytes are missing: the run has written too much to keep all of it"]


def test_of_whole_output_nothing_is_said(stranger: Stranger) -> None:
    stranger.answer = answering(stdout=part(b"o" * 12, dropped=0, size=20), stderr=part(b"e" * 8, dropped=0, size=20))

    assert said_of(stranger, "stdout", "stderr") == []
