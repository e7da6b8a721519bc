"""A process dies, or freezes for longer than its lease, in the middle of a mail; another one takes over."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from coal_mine.background.outbox import LEASE
from coal_mine.clock import monotonic
from coal_mine.domain.times import EPOCH
from tests.stores.conftest import database_of
from tests.support.background import Background
from tests.support.mongod import Mongod
from tests.support.moody_mail import Mood, MoodyMailServer
from tests.support.server import CoalMine
from tests.support.settings import shared_settings
from tests.support.waiting import until

LATE = {"[LATE] One has not reported", "[LATE] Two has not reported"}

# In the short form nobody waits for a lease: its end is written down as if its time had come.
BY_TIME = pytest.param(False, id="lease ends by time")
LEASES = [pytest.param(True, id="lease ends by hand"), *([BY_TIME] if "FAULTS_SECONDS" in os.environ else [])]

Start = Callable[[str], Background]


@pytest.fixture
def database(replica_set: Mongod) -> Iterator[Database[dict[str, Any]]]:
    with database_of(replica_set) as empty:
        yield empty


@pytest.fixture
def start(replica_set: Mongod, database: Database[dict[str, Any]], moody_mail: MoodyMailServer, tmp_path: Path) -> Iterator[Start]:
    """Starts a background process of that name."""
    ini = shared_settings(replica_set, database, moody_mail)
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(Background(tmp_path / name, ini=ini))


@pytest.fixture
def web(replica_set: Mongod, database: Database[dict[str, Any]], moody_mail: MoodyMailServer, tmp_path: Path) -> Iterator[CoalMine]:
    """With two canaries that are due before anybody watches them, so that one claim has both."""
    with CoalMine(tmp_path / "web", "--web", ini=shared_settings(replica_set, database, moody_mail)) as server:
        for name in ("One", "Two"):
            server.call("create", name=name, periodicity="0.01", email="a@example.test")
        yield server


def test_a_lease_lasts_for_half_a_minute_at_most() -> None:
    assert LEASE.total_seconds() <= 30


@pytest.mark.parametrize("by_hand", LEASES)
@pytest.mark.usefixtures("web")
def test_another_process_repeats_the_mail_of_one_that_was_killed_under_the_same_message_id(
    start: Start, moody_mail: MoodyMailServer, database: Database[dict[str, Any]], by_hand: bool
) -> None:
    first = start("first")
    moody_mail.mood = Mood.HOLDS
    until("a mail that is held", lambda: moody_mail.messages)
    first.stop(signal.SIGKILL)
    moody_mail.mood = Mood.GOOD
    begin = monotonic()
    start("second")
    if by_hand:
        _end_leases(database)
    until("the mails", lambda: len(moody_mail.messages) >= 3)
    print(f"\ntaken over after {monotonic() - begin:.1f} s")  # noqa: T201 - the measurement

    assert _is_one_repeated_and_then_the_other(moody_mail)


@pytest.mark.parametrize("by_hand", LEASES)
def test_a_process_that_wakes_up_in_a_mail_after_its_lease_sends_no_more(
    start: Start, web: CoalMine, moody_mail: MoodyMailServer, database: Database[dict[str, Any]], by_hand: bool
) -> None:
    first = start("first")
    moody_mail.mood = Mood.HOLDS
    until("a mail that is held", lambda: moody_mail.messages)
    os.kill(first.pid, signal.SIGSTOP)
    moody_mail.mood = Mood.GOOD
    start("second")
    if by_hand:
        _end_leases(database)
    until("the mails", lambda: len(moody_mail.messages) >= 3)
    finished = until("both to be finished", lambda: _finished(database))
    os.kill(first.pid, signal.SIGCONT)
    until(
        "the end of the first one's mail", lambda: re.search(r"delivered by mail to a@|alerts for a@example.test not delivered", first.log)
    )
    web.call("create", name="Last", periodicity="0.5", email="b@example.test")
    moody_mail.wait_for("[LATE] Last has not reported")

    assert first.stop() == 0
    assert _is_one_repeated_and_then_the_other(moody_mail)
    assert _finished(database) == finished
    assert database["receivers"].find_one({"address": "a@example.test", "waiting_since": {"$exists": True}}) is None


def _is_one_repeated_and_then_the_other(mail: MoodyMailServer) -> bool:
    """Both became late at one instant, so either may be the first."""
    ids = [message["Message-ID"] for message in mail.messages if message["To"] == "a@example.test"]
    return len(ids) == 3 and ids[0] == ids[1] != ids[2] and set(mail.subjects(to="a@example.test")) == LATE


def _end_leases(database: Database[dict[str, Any]]) -> None:
    database["receivers"].update_many({"token": {"$exists": True}}, {"$set": {"lease_until": EPOCH}})


def _finished(database: Database[dict[str, Any]]) -> list[Any]:
    """When each delivery for the first receiver was finished; empty as long as one waits."""
    found = list(database["deliveries"].find({"address": "a@example.test"}).sort("_id"))
    return [each["finished_at"] for each in found] if all("finished_at" in each for each in found) else []
