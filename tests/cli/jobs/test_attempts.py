"""What is said when one attempt follows another."""

from __future__ import annotations

from io import BytesIO, TextIOWrapper
from typing import Any

import pytest

from coal_mine.cli.api import Api
from coal_mine.cli.connection import Connection
from coal_mine.cli.follow import Follower, Sink
from coal_mine.cli.settings import Server
from tests.cli.stranger import Answer, Stranger


@pytest.mark.parametrize(("facts", "fate"), [({"lost": False}, "has failed"), ({"lost": True}, "was lost"), ({}, "has failed")])
def test_an_attempt_that_was_lost_is_not_said_to_have_failed(stranger: Stranger, facts: dict[str, Any], fate: str) -> None:
    stranger.answer = lambda _: Answer(b"", headers={"X-Next-Offset": "0", "X-Complete": "true", "X-Dropped": "0"})
    run = {"id": "one", "attempt": 2, "state": "done", "attempts": [{"number": 1, **facts}]}
    said: list[str] = []
    api = Api(Connection(Server(url=stranger.url, auth_key=None)))
    Follower(api, run, sink=Sink(("both", TextIOWrapper(BytesIO()))), say=said.append).follow()

    assert said == [f"attempt 1 {fate}, attempt 2 begins"]
