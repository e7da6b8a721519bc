"""The members of a replica set have different clocks, and the primary changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coal_mine.clock import monotonic
from tests.stores.conftest import database_of
from tests.support.background import Background
from tests.support.load import Load
from tests.support.mail import MailServer
from tests.support.server import CoalMine
from tests.support.settings import shared_settings
from tests.support.shifted import ShiftedMongod
from tests.support.waiting import until

AHEAD = 10
# Less than by what the clocks differ, and more than a busy machine needs.
SLACK = timedelta(seconds=8)


@pytest.fixture
def mongod() -> Iterator[ShiftedMongod]:
    """The first primary has the right time."""
    with ShiftedMongod(AHEAD) as server:
        server.wait_until_whole()
        yield server


@pytest.fixture
def servers(mongod: ShiftedMongod, mail: MailServer, tmp_path: Path) -> Iterator[list[CoalMine]]:
    """Two processes for HTTP, beside two for the background."""
    with database_of(mongod) as database, ExitStack() as stack:
        ini = shared_settings(mongod, database, mail)
        for number in range(2):
            stack.enter_context(Background(tmp_path / f"background-{number}", ini=ini))
        found = [stack.enter_context(CoalMine(tmp_path / f"web-{number}", "--web", ini=ini)) for number in range(2)]
        until("the first primary's time", lambda: all(skew(server) == 0 for server in found))
        yield found


def skew(server: CoalMine) -> int:
    """In whole seconds."""
    return round(server.get("/health").json().get("clock_skew_seconds", 1_000))


def wait_for_skew(servers: list[CoalMine], seconds: int) -> None:
    begin = monotonic()
    until("the new primary's time", lambda: all(skew(server) == seconds for server in servers))
    print(f"\nthe new primary's time after {monotonic() - begin:.1f} s")  # noqa: T201 - the measurement


def test_servers_follow_the_primarys_time_and_no_canary_that_is_triggered_is_late(
    mongod: ShiftedMongod, servers: list[CoalMine], mail: MailServer
) -> None:
    first, second = servers
    busy = first.call("create", name="Busy", periodicity=AHEAD + 20, email="a@example.test")["canary"]["id"]
    with Load(first.url, busy, rate=20) as one, Load(second.url, busy, rate=20) as other:
        mongod.step_down()
        wait_for_skew(servers, -AHEAD)
        first.call("create", name="Ahead", periodicity="2", email="a@example.test")
        mail.wait_for("[LATE] Ahead has not reported")
        wait_for_skew(servers, 0)  # the first member is the primary again
        first.call("create", name="Back", periodicity="2", email="a@example.test")
        mail.wait_for("[LATE] Back has not reported")

    assert (one.failed, other.failed) == ([], [])
    assert mail.subjects() == ["[LATE] Ahead has not reported", "[LATE] Back has not reported"]


def test_no_alert_is_earlier_or_later_than_the_clocks_differ(mongod: ShiftedMongod, servers: list[CoalMine], mail: MailServer) -> None:
    """A canary that was created under the first primary is alerted by the time of the next."""
    long = timedelta(seconds=AHEAD + 8)
    created_at = datetime.now(UTC)
    servers[0].call("create", name="Silent", periodicity=long.total_seconds(), email="a@example.test")
    mongod.step_down(seconds=120)
    mail.wait_for("[LATE] Silent has not reported", seconds=120)
    told_after = datetime.now(UTC) - created_at

    assert long - timedelta(seconds=AHEAD) <= told_after < long - timedelta(seconds=AHEAD) + SLACK
